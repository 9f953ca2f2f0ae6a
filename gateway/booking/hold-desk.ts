import type { ChangeHold } from "../../engine/commands/change-hold.ts";
import type { Hold } from "../../engine/commands/hold.ts";
import type { EventId } from "../../engine/ids.ts";
import { ITEM_IDS_PER_HOLD } from "../../engine/limits.ts";
import type { EventEntry } from "../catalogue/event-directory.ts";
import type { Identity } from "../identity/tokens.ts";
import { type Accepted, type DeskCore, type DeskRequest, Fault, unexpected } from "./desk-core.ts";
import { type DeskResult, invalid, ok, type Settle } from "./desk-result.ts";
import { holdJson } from "./hold-json.ts";
import {
  changeHoldBody,
  holdBody,
  type WantedHold,
  wantedChangeOf,
  wantedOf,
} from "./hold-request.ts";

/** Holds: taking places, changing and giving them back. */
export class HoldDesk {
  readonly #core: DeskCore;

  constructor(core: DeskCore) {
    this.#core = core;
  }

  hold(eventId: EventId | null, request: DeskRequest, settle: Settle): void {
    this.#core.atEvent(eventId, settle, (event) => {
      const body = holdBody(request.body);
      if (!body.ok) return settle(invalid(body.errors));
      const wanted = wantedOf(body.value, event);
      if ("kind" in wanted) return settle(wanted);
      const key = this.#core.keyOf(request, askedFor(event, wanted));
      if (key instanceof Fault) return settle(key.problem);
      const command: Hold = {
        kind: "hold",
        holdId: this.#core.minter.mintHold(Date.now(), event.tag, ITEM_IDS_PER_HOLD),
        userId: request.identity.userId,
        places: wanted.places,
        best: wanted.best,
        promoCode: wanted.promoCode,
        channel: wanted.channel,
        key,
      };
      this.#core.ask(event, command, settle, newHold);
    });
  }

  find(holdIdText: string, identity: Identity, settle: Settle): void {
    this.#core.atHold(holdIdText, settle, (event, holdId) => {
      const { userId } = identity;
      this.#core.ask(event, { kind: "getHold", holdId, userId }, settle, knownHold);
    });
  }

  change(holdIdText: string, request: DeskRequest, settle: Settle): void {
    this.#core.atHold(holdIdText, settle, (event, holdId) => {
      const body = changeHoldBody(request.body);
      if (!body.ok) return settle(invalid(body.errors));
      const wanted = wantedChangeOf(body.value, event);
      if ("kind" in wanted) return settle(wanted);
      const { add, drop } = wanted;
      const key = this.#core.keyOf(request, ["change", holdId, add, drop]);
      if (key instanceof Fault) return settle(key.problem);
      const { userId } = request.identity;
      const command: ChangeHold = { kind: "changeHold", holdId, userId, add, drop, key };
      this.#core.ask(event, command, settle, knownHold);
    });
  }

  extend(holdIdText: string, request: DeskRequest, settle: Settle): void {
    this.#core.atHold(holdIdText, settle, (event, holdId) => {
      const key = this.#core.keyOf(request, ["extend", holdId]);
      if (key instanceof Fault) return settle(key.problem);
      const { userId } = request.identity;
      this.#core.ask(event, { kind: "extend", holdId, userId, key }, settle, knownHold);
    });
  }

  release(holdIdText: string, identity: Identity, settle: Settle): void {
    this.#core.atHold(holdIdText, settle, (event, holdId) => {
      const { userId } = identity;
      this.#core.ask(event, { kind: "release", holdId, userId }, settle, () => ok(204, null));
    });
  }
}

/** Plain holds are told by their places alone, as they always were: keys outlive an update. */
function askedFor(event: EventEntry, { places, best, promoCode, channel }: WantedHold): unknown[] {
  const asked = ["hold", event.eventId, places];
  const isPlain = best.length === 0 && promoCode === null && channel === null;
  return isPlain ? asked : [...asked, best, promoCode, channel];
}

const newHold = (event: EventEntry, answer: Accepted): DeskResult => shown(event, answer, 201);
const knownHold = (event: EventEntry, answer: Accepted): DeskResult => shown(event, answer, 200);

function shown(event: EventEntry, answer: Accepted, status: number): DeskResult {
  if (answer.kind === "hold") return ok(status, holdJson(event, answer.hold));
  if (answer.kind !== "done") return unexpected();
  const { fact, replayed } = answer;
  switch (fact.kind) {
    case "held":
    case "extended":
    case "holdChanged":
      return ok(status, holdJson(event, fact), replayed);
    default:
      return unexpected();
  }
}
