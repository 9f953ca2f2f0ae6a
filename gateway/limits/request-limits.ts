import type { Network } from "./client-address.ts";
import type { ClassBounds, LimitClass, LimitSettings } from "./limit-classes.ts";
import { type Quota, quotaOf, type Scope } from "./quota.ts";
import { type SharedCounts, Tally } from "./tally.ts";
import { type Bound, type Bucket, type CountKey, tokensOut } from "./token-buckets.ts";

/** Who asks. */
export interface Asker {
  readonly network: Network;
  /** null: no token, or none that is good. */
  readonly userId: string | null;
}

/** Of one bound: how many it counts, and how often it was said no. */
export interface BoundFigures {
  readonly limitClass: string;
  readonly scope: Scope;
  readonly keys: number;
  readonly refused: number;
}

interface Counted {
  readonly tally: Tally;
  readonly key: CountKey;
  readonly bucket: Bucket;
}

interface Tallies {
  readonly user: Tally | null;
  readonly address: Tally | null;
}

/** What was counted for one request. */
export interface Admission {
  /** null: nothing is bounded here. */
  readonly quota: Quota | null;
  /** Takes it back: the request could not be tried. What is left then. */
  giveBack(): Quota | null;
}

const UNBOUNDED: Admission = { quota: null, giveBack: () => null };

/**
 * How often somebody may ask for something, by the class of what it is.
 *
 * Invariants:
 * - What is refused is not counted, neither for the user nor for the address: who hammers at a
 *   closed door does not close it for the others of an office, and not for longer for themselves.
 * - Between looking and counting nothing else happens: as many are let in as the bound says.
 */
export class RequestLimits {
  readonly #tallies: Readonly<Record<LimitClass, Tallies>>;
  readonly #now: () => number;

  /** `now` gives ms and never runs backwards. */
  constructor(
    settings: Pick<LimitSettings, "classes">,
    shared: SharedCounts | null,
    now: () => number = () => performance.now(),
  ) {
    this.#now = now;
    const tallies = (name: LimitClass): Tallies => {
      const { user, address }: ClassBounds = settings.classes[name];
      const tally = (scope: Scope, bound: Bound | null): Tally | null =>
        bound === null ? null : new Tally({ name: `${name}:${scope}`, bound, shared });
      return { user: tally("user", user), address: tally("address", address) };
    };
    this.#tallies = {
      auth: tallies("auth"),
      session: tallies("session"),
      booking: tallies("booking"),
      hold: tallies("hold"),
      write: tallies("write"),
      search: tallies("search"),
      read: tallies("read"),
      webhook: tallies("webhook"),
    };
  }

  /** Users and addresses that are counted here, by class. */
  get sizes(): Readonly<Record<string, { readonly users: number; readonly addresses: number }>> {
    return Object.fromEntries(
      Object.entries(this.#tallies).map(([name, { user, address }]) => [
        name,
        { users: user?.size ?? 0, addresses: address?.size ?? 0 },
      ]),
    );
  }

  /** What each bound has to do with, by class. */
  *figures(): Iterable<BoundFigures> {
    for (const [limitClass, tallies] of Object.entries(this.#tallies)) {
      for (const scope of ["user", "address"] as const) {
        const tally = tallies[scope];
        if (tally === null) continue;
        yield { limitClass, scope, keys: tally.size, refused: tally.refusedCount };
      }
    }
  }

  /**
   * Counts one request. The answer comes at once, unless Redis has to be asked.
   */
  admit(limitClass: LimitClass, asker: Asker): Admission | Promise<Admission> {
    const { user, address } = this.#tallies[limitClass];
    const nowMs = this.#now();
    const ofAddress = address === null ? null : countedIn(address, asker.network, nowMs);
    if (ofAddress !== null && isEmpty(ofAddress, nowMs))
      return refusal(ofAddress, "address", nowMs);
    const { userId } = asker;
    const ofUser = user === null || userId === null ? null : countedIn(user, userId, nowMs);
    if (ofUser !== null && isEmpty(ofUser, nowMs)) return refusal(ofUser, "user", nowMs);
    if (ofUser === null && ofAddress === null) return UNBOUNDED;
    ofAddress?.tally.take(ofAddress.bucket, nowMs);
    ofUser?.tally.take(ofUser.bucket, nowMs);
    const admission = new Counting(ofUser, ofAddress, this.#now);
    return (ofUser ?? ofAddress)?.tally.isShared === true ? admission.confirmed() : admission;
  }

  /** What is left of what `admit` would count, without counting. */
  peek(limitClass: LimitClass, { network, userId }: Asker): Quota | null {
    const { user, address } = this.#tallies[limitClass];
    const nowMs = this.#now();
    const [tally, key, scope] =
      user !== null && userId !== null
        ? ([user, userId, "user"] as const)
        : ([address, network, "address"] as const);
    if (tally === null) return null;
    return quotaOf(true, scope, tally.bound, { bucket: tally.peek(key), nowMs });
  }
}

function countedIn(tally: Tally, key: CountKey, nowMs: number): Counted {
  return { tally, key, bucket: tally.at(key, nowMs) };
}

const isEmpty = ({ tally, bucket }: Counted, nowMs: number): boolean =>
  tally.isEmpty(bucket, nowMs);

function refusal({ tally, bucket }: Counted, scope: Scope, nowMs: number): Admission {
  tally.refusedCount += 1;
  const quota = quotaOf(false, scope, tally.bound, { bucket, nowMs });
  return { quota, giveBack: () => quota };
}

/** One request that this node lets in. */
class Counting implements Admission {
  readonly #ofUser: Counted | null;
  readonly #ofAddress: Counted | null;
  readonly #now: () => number;
  quota: Quota | null;

  constructor(ofUser: Counted | null, ofAddress: Counted | null, now: () => number) {
    this.#ofUser = ofUser;
    this.#ofAddress = ofAddress;
    this.#now = now;
    this.quota = this.#left();
  }

  /** The same once Redis has counted it for all nodes; or its refusal. */
  async confirmed(): Promise<Admission> {
    const [user, address] = [this.#ofUser, this.#ofAddress];
    const [isUserIn, isAddressIn] = await Promise.all([isConfirmed(user), isConfirmed(address)]);
    if (isUserIn && isAddressIn) {
      this.quota = this.#left();
      return this;
    }
    // Who refused has taken nothing.
    if (isUserIn) giveBack(user);
    if (isAddressIn) giveBack(address);
    const empty = isUserIn ? address : user;
    return empty === null ? this : refusal(empty, isUserIn ? "address" : "user", this.#now());
  }

  giveBack(): Quota | null {
    giveBack(this.#ofUser);
    giveBack(this.#ofAddress);
    return this.#left();
  }

  /** Of the two bounds the one that leaves less. */
  #left(): Quota | null {
    const nowMs = this.#now();
    const [user, address] = [this.#ofUser, this.#ofAddress];
    if (user === null && address === null) return null;
    const isUserNearer = leftIn(user, nowMs) <= leftIn(address, nowMs);
    const nearer = isUserNearer ? user : address;
    if (nearer === null) return null;
    const { tally, bucket } = nearer;
    return quotaOf(true, isUserNearer ? "user" : "address", tally.bound, { bucket, nowMs });
  }
}

function leftIn(counted: Counted | null, nowMs: number): number {
  if (counted === null) return Number.POSITIVE_INFINITY;
  const { tally, bucket } = counted;
  return tally.bound.count - tokensOut(bucket, tally.bound, nowMs);
}

function giveBack(counted: Counted | null): void {
  counted?.tally.giveBack(counted.key, counted.bucket);
}

async function isConfirmed(counted: Counted | null): Promise<boolean> {
  return counted === null || counted.tally.confirm(counted.key, counted.bucket);
}
