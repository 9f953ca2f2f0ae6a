import { REQUEST_LINES_PER_SECOND_MAX, SLOW_REQUEST_MS } from "../../engine/telemetry-limits.ts";
import type { Log } from "../log.ts";
import type { RouteMeter } from "./http-meter.ts";

type Level = "debug" | "info" | "warn" | "error";
const OK = 0;
const REFUSED = 1;
const FAILED = 2;

/** Neither a token nor an address of a person, nor a path as it was sent. */
export interface RequestLine {
  readonly status: number;
  readonly durationMs: number;
  readonly [name: string]: string | number | undefined;
}

/**
 * One line for each request: all of them at level `debug`; at `info` the first few of every second,
 * those that went well, those that were refused and those that failed apart, so that a crowd costs
 * no more than a quiet hour, and one failure is seen among thousands that went well.
 */
export class RequestLog {
  readonly #log: Log;
  readonly #isDebug: boolean;
  readonly #isInfo: boolean;
  /** The second that counts, and the lines that it has left for each group. */
  #second = 0;
  readonly #left = [0, 0, 0];
  #leftOut = 0;

  constructor(log: Log) {
    this.#log = log;
    this.#isDebug = log.isLevelEnabled("debug");
    this.#isInfo = log.isLevelEnabled("info");
  }

  /**
   * At which level a request that ends so now is written; null: it is not. Asked before anything
   * is put together. `status`: 0 when the client went away before. `nowMs`: monotonic.
   */
  levelOf(
    { isQuiet }: Pick<RouteMeter, "isQuiet">,
    { status, durationMs, nowMs }: { status: number; durationMs: number; nowMs: number },
  ): Level | null {
    const isRefused = status >= 400 || status === 0;
    const otherwise = this.#isDebug ? "debug" : null;
    if (isQuiet && !isRefused) return otherwise;
    const group = status >= 500 ? FAILED : isRefused ? REFUSED : OK;
    const second = Math.floor(nowMs / 1_000);
    if (second !== this.#second) this.#begin(second);
    const left = this.#left[group] ?? 0;
    if (left <= 0) {
      this.#leftOut += 1;
      return otherwise;
    }
    this.#left[group] = left - 1;
    if (status === 500) return "error";
    if (group === FAILED || durationMs >= SLOW_REQUEST_MS) return "warn";
    return this.#isInfo ? "info" : null;
  }

  write(level: Level, fields: RequestLine): void {
    const durationMs = Math.round(fields.durationMs * 1_000) / 1_000;
    const message = fields.status === 0 ? "request given up" : "request";
    this.#log[level]({ ...fields, durationMs }, message);
  }

  #begin(second: number): void {
    this.#second = second;
    this.#left.fill(REQUEST_LINES_PER_SECOND_MAX);
    if (this.#leftOut > 0 && !this.#isDebug) {
      this.#log.info({ count: this.#leftOut }, "requests without a line of their own");
    }
    this.#leftOut = 0;
  }
}
