/** One whole run: scenery, load, end of it, verdict. What is wrong is listed, with the seed. */
import { setTimeout as delay } from "node:timers/promises";
import { Random } from "../../engine/testing/random.ts";
import { ApiClient } from "../support/client.ts";
import { OPS_TOKEN, TestNode } from "../support/server.ts";
import { Clerk } from "./clerk.ts";
import { confirmedClerks, ownAddresses } from "./confirmed-clerks.ts";
import type { Crowd } from "./crowd.ts";
import { Customer } from "./customer.ts";
import { Ledger } from "./ledger.ts";
import { Organiser } from "./organiser.ts";
import { Payer } from "./payer.ts";
import { guest, openStages, type Person, register, type Stage } from "./scenery.ts";
import { type Caller, Faults, type Tally, Teller } from "./teller.ts";
import { type VerdictAsk, type VerdictReport, verdictOf } from "./verdict.ts";
import { checkWaitlist } from "./waitlist-check.ts";
import { Watcher } from "./watcher.ts";

export interface TortureOptions {
  readonly clients: number;
  readonly seconds: number;
  readonly seed: number;
  /** A server that runs already; null: one of our own is started. */
  readonly elsewhere: Elsewhere | null;
  readonly log: (line: string) => void;
}

export interface Elsewhere {
  readonly url: string;
  /** null: what needs it is left out. */
  readonly opsToken: string | null;
  readonly webhookSecret: string | null;
  readonly databaseUrl: string | null;
}

export interface TortureReport {
  readonly seed: number;
  readonly clients: number;
  readonly loadSeconds: number;
  readonly tallies: ReadonlyMap<string, Tally>;
  readonly live: { readonly messages: number; readonly resumed: number };
  readonly holds: number;
  readonly replayed: number;
  readonly verdict: VerdictReport | null;
  readonly faults: readonly string[];
  readonly faultCount: number;
}

const CLIENTS_FULL = 500;
/** Between two things that a client does, at most; about half of it on average. */
const PAUSE_MS_MAX = 300;
const ORGANISER_PAUSE_MS_MAX = 500;
const CLERKS = 4;
const CLERK_PAUSE_MS_MAX = 60;
const WATCHERS_PER_EVENT = 2;
const RECONNECT_MS_MAX = 4_000;
/** One client in so many has an account, to which bookings may be handed over. */
const CLIENTS_PER_ACCOUNT = 12;
/** Shorter runs don't wait for what takes a payment's whole window. */
const PATIENT_SECONDS_MIN = 30;
const WEBHOOK_SECRET = "the torture signs its messages with this";
/** Logged as errors, as they should be, where somebody pays another amount. */
const MISPAID = /a payment is not what was asked for|a payment was reported with a second amount/;

export async function torture(options: TortureOptions): Promise<TortureReport> {
  const { elsewhere } = options;
  if (elsewhere !== null) return new Torture(options, elsewhere).run();
  const node = await TestNode.start({ SANDBOX_WEBHOOK_SECRET: WEBHOOK_SECRET });
  try {
    const { url, databaseUrl } = node;
    const own = { url, databaseUrl, opsToken: OPS_TOKEN, webhookSecret: WEBHOOK_SECRET };
    const report = await new Torture(options, own).run();
    const errors = node.errors.filter((line) => !MISPAID.test(line));
    const faults = [...report.faults, ...errors.map((line) => `the server logged ${line}`)];
    return { ...report, faults, faultCount: report.faultCount + errors.length };
  } finally {
    await node.remove();
  }
}

class Torture {
  readonly #options: TortureOptions;
  readonly #server: Elsewhere;
  readonly #api: ApiClient;
  readonly #teller: Teller;
  readonly #faults = new Faults();
  #isOver = false;

  constructor(options: TortureOptions, server: Elsewhere) {
    this.#options = options;
    this.#server = server;
    this.#api = new ApiClient(() => server.url, options.clients + 100);
    this.#teller = new Teller(this.#api, server.url, this.#faults);
  }

  async run(): Promise<TortureReport> {
    const { clients, seed, log } = this.#options;
    const random = new Random(seed);
    const owner = await register(this.#api);
    const organiser = callerOf("organiser", owner);
    const scale = Math.max(0.15, clients / CLIENTS_FULL);
    const { databaseUrl } = this.#server;
    const clerks = await confirmedClerks(this.#api, { count: CLERKS, owner, databaseUrl });
    const { invited: staff, atDoors } = clerks;
    const doors = atDoors.map((person, n) => callerOf(`clerk-${n}`, person));
    const stages = await openStages({ api: this.#api, organiser: owner, staff, scale, random });
    const crowd = this.#crowdOf(stages);
    const customers = await this.#gather(crowd);
    await this.#watch(stages);
    log(`${clients} clients at ${stages.length} events for ${this.#options.seconds} s`);
    const startedMs = Date.now();
    await this.#load(crowd, customers, { organiser, doors });
    const loadSeconds = (Date.now() - startedMs) / 1_000;
    log(`the load is over after ${loadSeconds.toFixed(1)} s; waiting for what is left to end`);
    let waited = 0;
    for (const stage of stages) waited += await checkWaitlist(this.#teller, organiser, stage);
    log(`${waited} in line were looked at`);
    await crowd.payer.payAllLate();
    await Promise.all(customers.map((customer) => customer.leave()));
    const fresh = callerOf("somebody new", await guest(this.#api));
    const verdict = await this.#judged({
      ...this.#server,
      api: this.#api,
      crowd,
      customers,
      organiser,
      fresh,
      log,
    });
    return this.#report(crowd, customers, { verdict, loadSeconds });
  }

  /** null: it could not be reached, which is a fault. */
  async #judged(given: VerdictAsk): Promise<VerdictReport | null> {
    try {
      return await verdictOf(given);
    } catch (error) {
      this.#faults.add(`there is no verdict: ${error instanceof Error ? error.stack : error}`);
      return null;
    }
  }

  #crowdOf(stages: readonly Stage[]): Crowd {
    const teller = this.#teller;
    const ledger = new Ledger(this.#faults);
    const payer = new Payer({
      teller,
      ledger,
      webhookSecret: this.#server.webhookSecret,
      isPatient: this.#options.seconds >= PATIENT_SECONDS_MIN,
    });
    return { teller, ledger, payer, stages, registered: new Map() };
  }

  async #gather(crowd: Crowd): Promise<Customer[]> {
    const { clients, seed } = this.#options;
    const known: Customer[] = [];
    const customers = await Promise.all(
      Array.from({ length: clients }, async (_, n) => {
        const hasAccount = n % CLIENTS_PER_ACCOUNT === 0;
        const person = await (hasAccount ? register(this.#api) : guest(this.#api));
        const random = new Random(seed + 7_919 * (n + 1));
        const customer = new Customer(crowd, person, { n, random });
        if (hasAccount) known.push(customer);
        if (customer.prefersLive) await this.#teller.liveOf(customer);
        return customer;
      }),
    );
    const { databaseUrl } = this.#server;
    if (databaseUrl === null) return customers;
    const people = known.map(({ person }) => person);
    await ownAddresses(databaseUrl, people);
    for (const customer of known) crowd.registered.set(customer.person.email, customer);
    return customers;
  }

  async #watch(stages: readonly Stage[]): Promise<void> {
    for (const stage of stages) {
      for (let n = 0; n < WATCHERS_PER_EVENT; n += 1) {
        stage.watchers.push(await Watcher.open(this.#server.url, stage, this.#faults));
      }
    }
  }

  async #load(
    crowd: Crowd,
    customers: readonly Customer[],
    { organiser, doors }: { readonly organiser: Caller; readonly doors: readonly Caller[] },
  ): Promise<void> {
    const { seconds, seed } = this.#options;
    const random = new Random(seed + 1);
    const organisers = crowd.stages.map((stage, n) => {
      return new Organiser(this.#teller, organiser, stage, new Random(seed + 13 * (n + 2)));
    });
    const clerks = doors.map((door, n) => {
      const random = new Random(seed + 101 * (n + 2));
      return new Clerk(crowd, { door, counter: organiser }, random);
    });
    // One of each event's watchers never loses its connection.
    const watchers = crowd.stages.flatMap(({ watchers: all }) => all.slice(1));
    const all = [
      ...customers.map((each) => this.#keepOn(() => each.act(), PAUSE_MS_MAX, random)),
      ...organisers.map((each) => this.#keepOn(() => each.act(), ORGANISER_PAUSE_MS_MAX, random)),
      ...clerks.map((each) => this.#keepOn(() => each.act(), CLERK_PAUSE_MS_MAX, random)),
      ...watchers.map((each) => this.#keepOn(() => each.reconnect(), RECONNECT_MS_MAX, random)),
    ];
    await delay(seconds * 850);
    const named = (name: string) => organisers[crowd.stages.findIndex((s) => s.name === name)];
    await Promise.all([named("doomed")?.cancelEvent(), named("window")?.reschedule()]);
    await delay(seconds * 150);
    this.#isOver = true;
    await Promise.all(all);
    await Promise.all(organisers.map((each) => each.openAgain()));
  }

  async #keepOn(act: () => Promise<void>, pauseMsMax: number, random: Random): Promise<void> {
    while (!this.#isOver) {
      await delay(random.next() * pauseMsMax);
      await act();
    }
  }

  #report(
    crowd: Crowd,
    customers: readonly Customer[],
    { verdict, loadSeconds }: Pick<TortureReport, "verdict" | "loadSeconds">,
  ): TortureReport {
    const watchers = crowd.stages.flatMap((stage) => stage.watchers);
    for (const watcher of watchers) watcher.close();
    for (const { live } of customers) live?.close();
    this.#api.close();
    const { seed, clients } = this.#options;
    return {
      seed,
      clients,
      loadSeconds,
      tallies: this.#teller.tallies,
      live: {
        messages: watchers.reduce((sum, { messages }) => sum + messages, 0),
        resumed: watchers.reduce((sum, { resumed }) => sum + resumed, 0),
      },
      holds: crowd.ledger.holds.size,
      replayed: crowd.ledger.replayed,
      verdict,
      faults: this.#faults.shown,
      faultCount: this.#faults.count,
    };
  }
}

function callerOf(name: string, { token }: Person): Caller {
  return { name, token, prefersLive: false, live: null };
}
