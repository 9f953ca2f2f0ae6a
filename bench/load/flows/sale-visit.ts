import type { HttpAnswer } from "../autocannon-connection.ts";
import type { Step } from "../flow.ts";
import { codeOf, isBusy } from "../refusals.ts";
import { headerOf, idOf } from "../request-writer.ts";
import { priceFault, totalOf } from "../told-price.ts";
import { type Attempt, CLOCK_SLACK_MS } from "./attempt.ts";
import type { Thinker } from "./crowd-visit.ts";
import type { KnownEvent, SaleGround } from "./sale-ground.ts";
import { thinkTime } from "./think-time.ts";

/** A request whose answer was lost is asked again under its key, so often at most. */
const LOST_TRIES_MAX = 3;
const BUSY_TRIES_MAX = 100;
const BUSY_PAUSE_MS = 50;
/** When no seat is seen as free: some will be given back. */
const FULL_PAUSE_MS = 50;
/** Who found their seats taken so often goes away. */
const COLLISIONS_MAX = 5;
const PAYMENT = '"payment":{"provider":"none"},"email":"buyer@example.org"';

type Asks = "hold" | "booking" | "release" | "look";

/** What is on its way, or is to be sent next. */
interface Asked {
  readonly asks: Asks;
  readonly stream: number;
  readonly text: string;
  /** The id that the first answer gave, when this is sent once more; null: it is the first. */
  readonly repeatOf: string | null;
}

/** Who is inside: what they want, and what they have. */
interface Buyer {
  readonly user: number;
  readonly event: KnownEvent;
  readonly size: number;
  looks: number;
  collisions: number;
  /** So long they think before they do the next thing. */
  thinkMs: number;
  attempt: Attempt | null;
  /** Of their hold. */
  places: readonly number[];
  holdId: string | null;
  isDone: boolean;
}

export interface SaleVisitOptions {
  /** One buyer, who sends something as soon as they come, and nobody after them. */
  readonly isOfOne: boolean;
}

/** Buyers, one after another; each has one request on its way at most. */
export class SaleVisit implements Thinker {
  readonly #ground: SaleGround;
  readonly #isOfOne: boolean;
  #buyer: Buyer | null = null;
  #asked: Asked | null = null;
  #tries = 0;
  #pauseMs = 0;
  /** Nobody knows what became of what was asked last. */
  #isLost = false;

  constructor(ground: SaleGround, { isOfOne }: SaleVisitOptions) {
    this.#ground = ground;
    this.#isOfOne = isOfOne;
  }

  next(): Step {
    if (this.#asked === null && (this.#buyer === null || this.#buyer.isDone)) {
      if (this.#buyer !== null && this.#isOfOne) return { kind: "end" };
      this.#buyer = this.#comeIn();
      if (this.#buyer === null) return { kind: "end" };
    }
    const ms = this.takePause();
    if (ms > 0) return { kind: "pause", ms };
    const buyer = this.#buyer;
    if (this.#asked === null && buyer !== null) {
      this.#asked = this.#decide(buyer);
      this.#tries = 0;
      if (this.#asked === null && buyer.holdId !== null) return this.next();
    }
    if (this.#asked === null) return { kind: "pause", ms: FULL_PAUSE_MS };
    this.#tries += 1;
    const { stream, text, repeatOf } = this.#asked;
    // What the server has done already it says once more, quicker than it did it.
    const isRepeat = repeatOf !== null || this.#isLost;
    return { kind: "send", stream: isRepeat ? this.#ground.streams.repeats : stream, text };
  }

  takePause(): number {
    const buyer = this.#buyer;
    let ms = this.#pauseMs;
    this.#pauseMs = 0;
    const isLooking = buyer?.holdId === null && buyer.looks > 0;
    if (this.#asked === null && buyer !== null && !buyer.isDone && !isLooking) {
      ms += buyer.thinkMs;
      buyer.thinkMs = 0;
    }
    return ms;
  }

  answered(answer: HttpAnswer): void {
    const [buyer, asked] = [this.#buyer, this.#asked];
    if (buyer === null || asked === null) return;
    const { status, body } = answer;
    const isToComeAgain = isBusy(status, body);
    // What was lost stays so until something else than `busy` is said of it.
    this.#isLost = status === 0 || (this.#isLost && isToComeAgain);
    if (status === 0 && this.#tries < LOST_TRIES_MAX) return;
    if (isToComeAgain && this.#tries < BUSY_TRIES_MAX) {
      this.#pauseMs = BUSY_PAUSE_MS;
      return;
    }
    this.#asked = null;
    if (this.#isLost) this.#lost(buyer, asked);
    else if (asked.repeatOf !== null) this.#repeated(buyer, answer, asked.repeatOf);
    else this.#take(buyer, asked, answer);
  }

  left(): void {
    const [buyer, asked] = [this.#buyer, this.#asked];
    if (this.#isLost && buyer !== null && asked !== null) this.#lost(buyer, asked);
  }

  #comeIn(): Buyer | null {
    const { random, options, nextBuyer } = this.#ground;
    const event = this.#ground.wanted();
    if (event === null) return null;
    const looks = Math.floor(options.looksPerVisit + random.next());
    const size = event.hunt.sizeOf(random.next());
    const thinkMs = this.#isOfOne && looks === 0 ? 0 : this.#thinkTime();
    const none = { collisions: 0, attempt: null, places: [], holdId: null, isDone: false };
    return { user: nextBuyer(), event, size, looks, thinkMs, ...none };
  }

  #thinkTime(): number {
    const { random, options } = this.#ground;
    return options.thinking === null ? 0 : thinkTime(options.thinking.meanMs, random);
  }

  /** null: there is nothing to be had at the moment, or this buyer has just gone. */
  #decide(buyer: Buyer): Asked | null {
    const { writer, random, options, counts, streams } = this.#ground;
    const { event, user, holdId } = buyer;
    if (holdId === null) {
      if (buyer.looks === 0) return this.#hold(buyer);
      buyer.looks -= 1;
      const text = writer.get(`${event.path}/availability`, user);
      return { asks: "look", stream: streams.looks, text, repeatOf: null };
    }
    if (random.chance(options.dropOutShare)) {
      if (random.chance(options.giveBackShare)) {
        buyer.attempt?.releasing();
        const text = writer.delete(`/api/v1/holds/${holdId}`, user);
        return { asks: "release", stream: streams.releases, text, repeatOf: null };
      }
      counts["left without a word"] += 1;
      buyer.isDone = true;
      return null;
    }
    buyer.attempt?.booking();
    const body = `{"holdId":"${holdId}",${PAYMENT}}`;
    const text = writer.post(`${event.path}/bookings`, { user, key: writer.freshKey(), body });
    return { asks: "booking", stream: streams.bookings, text, repeatOf: null };
  }

  #hold(buyer: Buyer): Asked | null {
    const { event, user } = buyer;
    const { writer, counts } = this.#ground;
    const attempt = buyer.attempt === null ? event.hunt.attempt(buyer.size) : buyer.attempt.again();
    if (attempt === null) {
      if (buyer.attempt !== null) counts["went away without"] += 1;
      buyer.isDone = true;
      return null;
    }
    if (buyer.attempt === null) counts.buyers += 1;
    buyer.attempt = attempt;
    counts["places asked for"] += attempt.count;
    const body = `{"items":${attempt.items}}`;
    const text = writer.post(`${event.path}/holds`, { user, key: writer.freshKey(), body });
    return { asks: "hold", stream: attempt.stream, text, repeatOf: null };
  }

  #take(buyer: Buyer, asked: Asked, answer: HttpAnswer): void {
    if (asked.asks === "hold") return this.#held(buyer, asked, answer);
    if (asked.asks === "booking") return this.#booked(buyer, asked, answer);
    if (asked.asks === "release") return this.#released(buyer, answer);
    if (answer.status !== 200) this.#unexpected("a look", answer);
  }

  #held(buyer: Buyer, asked: Asked, { status, head, body }: HttpAnswer): void {
    if (status === 409) return this.#collided(buyer, body);
    const id = status === 201 ? idOf(body) : null;
    if (id === null) {
      buyer.isDone = true;
      return this.#unexpected("a hold", { status, head, body });
    }
    const { acknowledged, faults, counts } = this.#ground;
    const { event } = buyer;
    counts["holds confirmed"] += 1;
    buyer.places = buyer.attempt?.held(id, body) ?? [];
    const isNew = acknowledged.held({ id, event: event.index, places: buyer.places });
    if (!isNew) faults.add(`two requests got the same hold ${id}`);
    this.#checkPrice(`hold ${id}`, buyer, body);
    buyer.holdId = id;
    buyer.thinkMs = this.#thinkTime();
    this.#perhapsRepeat(asked, id);
  }

  #collided(buyer: Buyer, body: string): void {
    const { counts } = this.#ground;
    counts.collisions += 1;
    buyer.collisions += 1;
    const triesAgain = buyer.attempt?.refused(body) ?? false;
    if (triesAgain && buyer.collisions < COLLISIONS_MAX) {
      buyer.thinkMs = this.#thinkTime();
      return;
    }
    counts["went away without"] += 1;
    buyer.isDone = true;
  }

  #booked(buyer: Buyer, asked: Asked, answer: HttpAnswer): void {
    const { acknowledged, counts, marks } = this.#ground;
    const { event, places, holdId, attempt } = buyer;
    buyer.isDone = true;
    const id = answer.status === 201 ? idOf(answer.body) : null;
    if (id === null || holdId === null) {
      if (!this.#hasEnded(buyer, answer)) return this.#unexpected("a booking", answer);
      counts["too late to book"] += 1;
      attempt?.expired();
      return;
    }
    this.#checkPrice(`booking ${id}`, buyer, answer.body);
    const totalMinor = totalOf(answer.body);
    acknowledged.booked(holdId, { id, event: event.index, places, totalMinor });
    counts["buyers who booked"] += 1;
    counts["places sold"] += places.length;
    event.sold += places.length;
    marks.sold(places.length, performance.now());
    attempt?.booked();
    this.#perhapsRepeat(asked, id);
  }

  #released(buyer: Buyer, answer: HttpAnswer): void {
    const { acknowledged, counts } = this.#ground;
    buyer.isDone = true;
    const isLate = this.#hasEnded(buyer, answer);
    if (answer.status !== 204 && !isLate) return this.#unexpected("a release", answer);
    if (buyer.holdId !== null) acknowledged.ended(buyer.holdId);
    if (!isLate) counts["given back"] += 1;
    buyer.attempt?.released();
  }

  /** Whether it says that the hold has ended, when it may have; earlier nobody may say so. */
  #hasEnded({ attempt }: Buyer, { status, body }: HttpAnswer): boolean {
    if (status !== 410 || codeOf(body) !== "hold_expired" || attempt === null) return false;
    const endMs = attempt.askedMs + this.#ground.options.holdTtlSeconds * 1_000;
    return performance.now() >= endMs - CLOCK_SLACK_MS;
  }

  #checkPrice(what: string, { places }: Buyer, body: string): void {
    const fault = priceFault(body, places.length);
    if (fault !== null) this.#ground.faults.add(`${what} has ${fault}`);
  }

  /** As a finger that presses twice, or a client that did not hear the answer. */
  #perhapsRepeat(asked: Asked, id: string): void {
    const { random, options, counts } = this.#ground;
    if (!random.chance(options.repeatShare)) return;
    counts["sent twice"] += 1;
    this.#tries = 0;
    this.#asked = { ...asked, repeatOf: id };
  }

  #repeated(buyer: Buyer, { status, head, body }: HttpAnswer, repeatOf: string): void {
    const id = status === 201 ? idOf(body) : null;
    const isReplay = headerOf(head, "idempotent-replayed") === "true";
    if (id === repeatOf && isReplay) return this.#checkPrice(`${id} once more`, buyer, body);
    const fault = `a request sent twice was answered ${repeatOf}, then ${status} ${id ?? ""}`;
    this.#ground.faults.add(isReplay ? fault : `${fault}, which does not say that it is the first`);
  }

  #lost(buyer: Buyer, { asks, repeatOf }: Asked): void {
    this.#isLost = false;
    if (repeatOf !== null || asks === "look") return;
    const { acknowledged } = this.#ground;
    const { event, holdId, attempt } = buyer;
    buyer.isDone = true;
    attempt?.lost();
    if (asks === "hold") acknowledged.holdUnknown(event.index, attempt?.count ?? 0);
    else if (asks === "booking" && holdId !== null) acknowledged.bookingUnknown(holdId);
    else if (holdId !== null) acknowledged.releaseUnknown(holdId);
  }

  #unexpected(what: string, { status, body }: HttpAnswer): void {
    if (isBusy(status, body)) return;
    this.#ground.faults.add(`${what} was answered ${status}: ${body.slice(0, 200)}`);
  }
}
