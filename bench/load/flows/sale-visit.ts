import type { HttpAnswer } from "../autocannon-connection.ts";
import type { Step, Visitor } from "../flow.ts";
import { codeOf, isBusy, seatsIn } from "../refusals.ts";
import { headerOf, idOf } from "../request-writer.ts";
import { priceFault, totalOf } from "../told-price.ts";
import type { KnownEvent, SaleGround } from "./sale-ground.ts";
import type { SeatClaim } from "./seat-claims.ts";

const HOLDS = 0;
const BOOKINGS = 1;
const RELEASES = 2;
const LOOKS = 3;

/** A request whose answer was lost is asked again under its key, so often at most. */
const LOST_TRIES_MAX = 3;
const BUSY_TRIES_MAX = 100;
const BUSY_PAUSE_MS = 50;
/** When no seat is seen as free: some will be given back. */
const FULL_PAUSE_MS = 50;
/** Who found their seats taken so often goes away. */
const COLLISIONS_MAX = 5;
/** A seat that was found taken is looked at again after this long. */
const FOUND_TAKEN_MS = 1_000;
/** A hold ends within a second of its time; what comes of it is seen a little later. */
const HOLD_END_MORE_MS = 2_000;
/** A server's clock may be set a little while a hold lasts. */
const CLOCK_SLACK_MS = 250;
const PAYMENT = '"payment":{"provider":"none"},"email":"buyer@example.org"';

/** What is on its way, or is to be sent next. */
interface Asked {
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
  places: readonly number[];
  /** When the hold of these places was sent first: it was not made before. */
  askedMs: number;
  /** To the seats among them; null: there are none. */
  claim: SeatClaim | null;
  holdId: string | null;
  isDone: boolean;
}

/** One connection's buyers, one after another; each has one request on its way at most. */
export class SaleVisit implements Visitor {
  readonly #ground: SaleGround;
  #buyer: Buyer | null = null;
  #asked: Asked | null = null;
  #tries = 0;
  #pauseMs = 0;
  /** Nobody knows what became of what was asked last. */
  #isLost = false;

  constructor(ground: SaleGround) {
    this.#ground = ground;
  }

  next(): Step {
    if (this.#pauseMs > 0) {
      const ms = this.#pauseMs;
      this.#pauseMs = 0;
      return { kind: "pause", ms };
    }
    if (this.#asked === null) {
      if (this.#buyer === null || this.#buyer.isDone) this.#buyer = this.#comeIn();
      if (this.#buyer === null) return { kind: "end" };
      this.#asked = this.#decide(this.#buyer);
      this.#tries = 0;
      if (this.#asked === null) return { kind: "pause", ms: FULL_PAUSE_MS };
    }
    this.#tries += 1;
    const { stream, text } = this.#asked;
    return { kind: "send", stream, text };
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
    const { random, options } = this.#ground;
    const event = this.#ground.wanted();
    if (event === null) return null;
    const looks = Math.floor(options.looksPerVisit + random.next());
    const none = { collisions: 0, places: [], askedMs: 0, claim: null, holdId: null };
    const user = this.#ground.nextBuyer();
    return { user, event, size: partySize(random.next()), looks, ...none, isDone: false };
  }

  /** null: there is nothing to be had at the moment. */
  #decide(buyer: Buyer): Asked | null {
    const { writer, random, options, counts } = this.#ground;
    const { event, user, holdId } = buyer;
    if (holdId === null) {
      if (buyer.looks === 0) return this.#hold(buyer);
      buyer.looks -= 1;
      const text = writer.get(`${event.path}/availability`, user);
      return { stream: LOOKS, text, repeatOf: null };
    }
    if (random.chance(options.dropOutShare)) {
      if (random.chance(0.5)) {
        const text = writer.delete(`/api/v1/holds/${holdId}`, user);
        return { stream: RELEASES, text, repeatOf: null };
      }
      counts["left without a word"] += 1;
      this.#buyer = this.#comeIn();
      return this.#buyer === null ? null : this.#decide(this.#buyer);
    }
    if (buyer.claim !== null) buyer.claim.untilMs = Number.POSITIVE_INFINITY;
    const body = `{"holdId":"${holdId}",${PAYMENT}}`;
    const text = writer.post(`${event.path}/bookings`, { user, key: writer.freshKey(), body });
    return { stream: BOOKINGS, text, repeatOf: null };
  }

  #hold(buyer: Buyer): Asked | null {
    const { event, size, user } = buyer;
    const { writer, counts } = this.#ground;
    const nowMs = performance.now();
    const places = event.choice?.pick(size, nowMs) ?? null;
    if (event.choice !== null && places === null) {
      buyer.isDone = true;
      return null;
    }
    buyer.places = places ?? Array.from({ length: size }, () => -1);
    buyer.askedMs = nowMs;
    counts["places asked for"] += buyer.places.length;
    event.asked += buyer.places.length;
    buyer.claim = event.claims?.asked(buyer.places) ?? null;
    const items =
      places === null
        ? [{ area: event.area, quantity: size }]
        : places.map((seat) => ({ seat: event.seatIds?.[seat] }));
    const body = JSON.stringify({ items });
    const text = writer.post(`${event.path}/holds`, { user, key: writer.freshKey(), body });
    return { stream: HOLDS, text, repeatOf: null };
  }

  #take(buyer: Buyer, asked: Asked, answer: HttpAnswer): void {
    if (asked.stream === HOLDS) return this.#held(buyer, asked, answer);
    if (asked.stream === BOOKINGS) return this.#booked(buyer, asked, answer);
    if (asked.stream === RELEASES) return this.#released(buyer, answer);
    if (answer.status !== 200) this.#unexpected("a look", answer);
  }

  #held(buyer: Buyer, asked: Asked, { status, head, body }: HttpAnswer): void {
    if (status === 409) return this.#collided(buyer, body);
    const id = status === 201 ? idOf(body) : null;
    if (id === null) {
      buyer.isDone = true;
      return this.#unexpected("a hold", { status, head, body });
    }
    const { acknowledged, faults, options } = this.#ground;
    const { event, places } = buyer;
    const isNew = acknowledged.held({ id, event: event.index, places });
    if (!isNew) faults.add(`two requests got the same hold ${id}`);
    const isAsWanted = places.every(
      (seat) => seat === -1 || body.includes(`"seat":"${event.seatIds?.[seat]}"`),
    );
    if (!isAsWanted) faults.add(`hold ${id} has other seats than those that were asked for`);
    this.#checkPrice(`hold ${id}`, buyer, body);
    buyer.holdId = id;
    const nowMs = performance.now();
    const endMs = nowMs + options.holdTtlSeconds * 1_000;
    event.choice?.taken(places, nowMs, endMs);
    if (buyer.claim !== null) buyer.claim.untilMs = endMs + HOLD_END_MORE_MS;
    this.#perhapsRepeat(asked, id);
  }

  #collided(buyer: Buyer, body: string): void {
    const { counts, faults } = this.#ground;
    const { event } = buyer;
    counts.collisions += 1;
    buyer.collisions += 1;
    if (buyer.claim !== null) event.claims?.refused(buyer.claim);
    const seats = seatsIn(body).flatMap((id) => event.seatIndexes.get(id) ?? []);
    if (!mayBeRefused(buyer, codeOf(body), seats)) {
      faults.add(`what could be had was refused: ${body.slice(0, 200)}`);
    }
    const nowMs = performance.now();
    event.choice?.taken(seats, nowMs, nowMs + FOUND_TAKEN_MS);
    if (event.choice !== null && buyer.collisions < COLLISIONS_MAX) return;
    counts["went away without"] += 1;
    buyer.isDone = true;
  }

  #booked(buyer: Buyer, asked: Asked, answer: HttpAnswer): void {
    const { acknowledged, counts } = this.#ground;
    const { event, places, holdId } = buyer;
    buyer.isDone = true;
    const id = answer.status === 201 ? idOf(answer.body) : null;
    if (id === null || holdId === null) {
      if (!this.#hasEnded(buyer, answer)) return this.#unexpected("a booking", answer);
      counts["too late to book"] += 1;
      if (buyer.claim !== null) buyer.claim.untilMs = performance.now();
      return;
    }
    this.#checkPrice(`booking ${id}`, buyer, answer.body);
    const totalMinor = totalOf(answer.body);
    acknowledged.booked(holdId, { id, event: event.index, places, totalMinor });
    counts["places sold"] += places.length;
    event.sold += places.length;
    event.choice?.sold(places, performance.now());
    this.#perhapsRepeat(asked, id);
  }

  #released(buyer: Buyer, answer: HttpAnswer): void {
    const { acknowledged, counts } = this.#ground;
    buyer.isDone = true;
    const isLate = this.#hasEnded(buyer, answer);
    if (answer.status !== 204 && !isLate) return this.#unexpected("a release", answer);
    if (buyer.holdId !== null) acknowledged.ended(buyer.holdId);
    if (!isLate) counts["given back"] += 1;
    const nowMs = performance.now();
    buyer.event.choice?.taken(buyer.places, nowMs, 0);
    if (buyer.claim !== null) buyer.claim.untilMs = nowMs;
  }

  /** Whether it says that the hold has ended, when it may have; earlier nobody may say so. */
  #hasEnded({ askedMs }: Buyer, { status, body }: HttpAnswer): boolean {
    if (status !== 410 || codeOf(body) !== "hold_expired") return false;
    const endMs = askedMs + this.#ground.options.holdTtlSeconds * 1_000;
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

  #lost(buyer: Buyer, { stream, repeatOf }: Asked): void {
    this.#isLost = false;
    if (repeatOf !== null || stream === LOOKS) return;
    const { acknowledged } = this.#ground;
    const { event, holdId, places } = buyer;
    buyer.isDone = true;
    if (stream === HOLDS) acknowledged.holdUnknown(event.index, places.length);
    else if (stream === BOOKINGS && holdId !== null) acknowledged.bookingUnknown(holdId);
    else if (holdId !== null) acknowledged.releaseUnknown(holdId);
  }

  #unexpected(what: string, { status, body }: HttpAnswer): void {
    if (isBusy(status, body)) return;
    this.#ground.faults.add(`${what} was answered ${status}: ${body.slice(0, 200)}`);
  }
}

/** Whether a hold may be refused so: not where there is room, as far as this load knows. */
function mayBeRefused(
  { event, places, askedMs }: Buyer,
  code: string,
  seats: readonly number[],
): boolean {
  const { claims, asked, capacity } = event;
  if (claims === null) return code === "insufficient_capacity" && asked > capacity;
  const isTaken = (seat: number): boolean =>
    places.includes(seat) && claims.mayBeTaken(seat, askedMs);
  return code === "seat_unavailable" && seats.length > 0 && seats.every(isTaken);
}

/** Half come in pairs. */
function partySize(chance: number): number {
  if (chance < 0.2) return 1;
  if (chance < 0.7) return 2;
  return chance < 0.82 ? 3 : 4;
}
