/** Ids, codes and times of the examples: the same thing has the same id everywhere. */
export const EXAMPLE = {
  event: "01985a3c-7b10-7000-8a1c-5e07a4b1c2d3",
  organization: "01985a3b-1c20-7000-8b2d-6f18b5c2d3e4",
  user: "01985a3a-0d30-7000-8c3e-7029c6d3e4f5",
  otherUser: "01985a3a-0d30-7001-8c3e-7029c6d3e4f6",
  invitation: "01985b02-8e80-7000-a183-c507a4b1c2d3",
  hold: "01985b00-2a40-7000-8d4f-8107a4b1c2d3",
  item: "01985b00-2a40-7001-8d4f-8107a4b1c2d3",
  secondItem: "01985b00-2a40-7002-8d4f-8107a4b1c2d3",
  booking: "01985b00-5b50-7000-8e50-9207a4b1c2d3",
  venue: "01985a3b-3e40-7000-8f83-c507a4b1c2d3",
  plan: "01985a3b-4f50-7000-8094-d607a4b1c2d3",
  campaign: "01985a3b-5a60-7000-80a5-e707a4b1c2d3",
  waiting: "01985b00-6c60-7000-8f61-a307a4b1c2d3",
  webhook: "01985a3b-5a60-7000-80a5-e707a4b1c2d3",
  subscription: "01985a3b-6b70-7000-81b6-f807a4b1c2d3",
  intent: "01985b00-7d70-7000-9072-b407a4b1c2d3",
  bookingCode: "CAT2MJ28AC",
  ticketCode: "JXDWALEFUJB942VS",
  secondTicketCode: "8PUAG4MVCRFW4TXM",
  cursor: "MDE5ODVhM2MtN2IxMC03MDAwLThhMWMtNWUwN2E0YjFjMmQz",
  past: "2030-01-10T09:00:00.000Z",
  now: "2030-04-02T10:00:00.000Z",
  soon: "2030-04-02T10:10:00.000Z",
  show: "2030-05-04T17:30:00.000Z",
} as const;

export const eur = (amount: number) => ({ amount, currency: "EUR" });
