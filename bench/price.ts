/** What a place costs of everything that the bench sells, minor units: no fee, no tax, no code. */
export const PRICE_MINOR = 1_000;
