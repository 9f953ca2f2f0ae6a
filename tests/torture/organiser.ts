/** Changes one event while it sells, one thing after another. */
import type { Random } from "../../engine/testing/random.ts";
import type { AvailabilityShape } from "../support/shapes.ts";
import * as ask from "./questions.ts";
import type { Stage } from "./scenery.ts";
import type { Answer, Caller, Teller } from "./teller.ts";
import { anySeat } from "./wishes.ts";

const TWICE_NOT_CLOSED = [{ salesCloseAt: null }, { salesCloseAt: null }];

export class Organiser {
  readonly #teller: Teller;
  readonly #caller: Caller;
  readonly #stage: Stage;
  readonly #random: Random;
  /** Seats that were kept from the sale by this organiser, for nobody. */
  readonly #blocked: string[] = [];
  #areas: AvailabilityShape["areas"] = [];

  constructor(teller: Teller, caller: Caller, stage: Stage, random: Random) {
    this.#teller = teller;
    this.#caller = caller;
    this.#stage = stage;
    this.#random = random;
  }

  async act(): Promise<void> {
    const mood = this.#random.next();
    if (this.#stage.seats.length > 0 && mood < 0.3) return this.#block();
    if (this.#stage.areas.length > 0 && mood < 0.5) return this.#resize();
    if (this.#stage.allotments.length > 0 && mood < 0.65) return this.#allot();
    return this.#change();
  }

  /** Ends it while it sells: everything is given back. */
  async cancelEvent(): Promise<void> {
    this.#stage.isCancelled = true;
    const question = ask.cancelEvent(this.#stage.eventId);
    for (let tries = 0; tries < 20; tries += 1) {
      if ((await this.#teller.ask(this.#caller, question))?.status === 200) break;
    }
    // Again, as a second press of the button is.
    await this.#teller.ask(this.#caller, question);
  }

  async reschedule(): Promise<void> {
    const times = { startsAt: "2041-06-01T18:00:00Z", endsAt: "2041-06-01T23:00:00Z" };
    await this.#patch({ ...times, salesOpenAt: null, salesCloseAt: null, cancellableUntil: null });
  }

  /** Nothing is closed, and nobody waits for having dropped holds: for what is tried in the end. */
  async openAgain(): Promise<void> {
    const open = { salesOpenAt: null, salesCloseAt: null, cancellableUntil: null, holdChurn: null };
    await this.#patch(open);
  }

  async #block(): Promise<void> {
    const { seats } = this.#stage;
    const random = this.#random;
    if (random.next() < 0.55 && this.#blocked.length > 0) {
      const unblock = this.#blocked.splice(0, 1 + random.below(4));
      const answer = await this.#inventory({ unblock });
      if (answer?.status !== 200) this.#blocked.push(...unblock);
      return;
    }
    if (random.next() < 0.1)
      return void (await this.#inventory({ unblock: [random.pick(seats).id] }));
    const count = 1 + random.below(3);
    const chosen = Array.from({ length: count }, () => anySeat(this.#stage, random));
    const block = [...new Set(chosen)].filter((seat) => seat !== null);
    const answer = await this.#inventory({ block });
    if (answer?.status === 200) {
      this.#blocked.push(...block.filter((seat) => !this.#blocked.includes(seat)));
    }
  }

  async #resize(): Promise<void> {
    const random = this.#random;
    if (this.#areas.length === 0) await this.#look();
    const area = random.pick(this.#areas);
    const capacity = Math.max(0, area.capacity + random.below(13) - 6);
    const sum = this.#areas.reduce((all, each) => all + each.capacity, 0);
    this.#stage.capacities.add(sum - area.capacity + capacity);
    await this.#inventory({ areas: [{ key: area.key, capacity }] });
  }

  async #look(): Promise<void> {
    const answer = await this.#teller.ask(this.#caller, ask.availability(this.#stage.eventId));
    if (answer?.status === 200) this.#areas = (answer.body as AvailabilityShape).areas;
  }

  /** More or fewer places for a channel, never none, and other seats. */
  async #allot(): Promise<void> {
    const random = this.#random;
    const allotment = random.pick(this.#stage.allotments) as { key: string; seats: string[] };
    const areas = [{ key: "floor", quantity: 2 + random.below(16) }];
    const other = anySeat(this.#stage, random);
    const seats =
      random.next() < 0.3 && other !== null
        ? [...new Set([...allotment.seats, other])]
        : allotment.seats;
    const answer = await this.#inventory({ allotments: [{ key: allotment.key, seats, areas }] });
    if (answer?.status === 200) allotment.seats = seats;
  }

  async #inventory(body: object): Promise<Answer | null> {
    const answer = await this.#teller.ask(this.#caller, ask.inventory(this.#stage.eventId, body));
    if (answer?.status === 200) this.#areas = (answer.body as AvailabilityShape).areas;
    return answer;
  }

  async #change(): Promise<void> {
    const random = this.#random;
    const { promoCodes, perUserMax, name } = this.#stage;
    const past = new Date(Date.now() - 1_000).toISOString();
    const changes: object[] = [
      { priceCategories: [{ key: "stalls", price: 4_000 + random.below(1_000) }] },
      { priceCategories: [{ key: "standing", price: 2_500 + random.below(1_000) }] },
      { limits: { perOrder: 3 + random.below(4) } },
      { limits: { perUser: perUserMax - random.below(3) } },
      { holdTtlSeconds: 2 + random.below(2) },
      { cancellableUntil: random.next() < 0.3 ? past : null },
      { title: `Torture: ${name}, ${random.below(1_000)}` },
    ];
    if (name === "free of charge") changes.splice(0, 2);
    if (promoCodes.length > 0) {
      changes.push({ promoCodes: promoCodes.map((promo) => this.#fewerUses(promo)) });
    }
    if (name === "window") {
      const salesOpenAt = new Date(Date.now() + 500).toISOString();
      changes.push({ salesOpenAt: null, salesCloseAt: past }, ...TWICE_NOT_CLOSED);
      changes.push({ salesOpenAt, salesCloseAt: null }, { salesOpenAt: null, salesCloseAt: null });
    }
    await this.#patch(random.pick(changes));
  }

  /** Sometimes fewer than are in use already: those stay. */
  #fewerUses(promo: object): object {
    if (!("uses" in promo)) return promo;
    const uses = Number(promo.uses);
    return { ...promo, uses: uses - this.#random.below(Math.ceil(uses / 2)) };
  }

  async #patch(body: object): Promise<void> {
    await this.#teller.ask(this.#caller, ask.patchEvent(this.#stage.eventId, body));
  }
}
