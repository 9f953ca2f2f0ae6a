import { ProblemError } from "../http/problem.ts";
import type { PaymentProvider } from "./payment-provider.ts";

/** The providers that this node is configured for. */
export class ProviderTable {
  readonly #providers: ReadonlyMap<string, PaymentProvider>;

  constructor(providers: readonly PaymentProvider[]) {
    this.#providers = new Map(providers.map((provider) => [provider.name, provider]));
  }

  get names(): string[] {
    return [...this.#providers.keys()];
  }

  find(name: string): PaymentProvider | null {
    return this.#providers.get(name) ?? null;
  }

  /** Throws `payment_provider_unknown`. */
  get(name: string): PaymentProvider {
    const provider = this.find(name);
    if (provider === null) throw new ProblemError("payment_provider_unknown");
    return provider;
  }
}
