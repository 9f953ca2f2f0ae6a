/** The operations of all rooms. A new route's is in its room; a new room is named here. */
import { bookingOperations } from "../booking/booking-operations.ts";
import { holdOperations } from "../booking/hold-operations.ts";
import { saleOperations } from "../booking/sale-operations.ts";
import { campaignOperations } from "../campaigns/campaign-operations.ts";
import { trackingOperations } from "../campaigns/tracking-operations.ts";
import { eventOperations } from "../catalogue/event-operations.ts";
import { organizationOperations } from "../catalogue/organization-operations.ts";
import { shelfOperations } from "../catalogue/shelf-operations.ts";
import { identityOperations } from "../identity/identity-operations.ts";
import { mailOperations } from "../mail/mail-operations.ts";
import { mailTemplateOperations } from "../mail/templates/mail-template-operations.ts";
import { laneOperations } from "../notifier/lane-operations.ts";
import { opsOperations } from "../ops/ops-operations.ts";
import { paymentOperations } from "../payments/payment-operations.ts";
import { pushOperations } from "../push/push-operations.ts";
import { ticketOperations } from "../tickets/ticket-operations.ts";
import { webhookOperations } from "../webhooks/webhook-operations.ts";
import { docsOperations } from "./docs-operations.ts";
import type { Operations } from "./operation.ts";

export const OPERATIONS: Operations = {
  ...identityOperations,
  ...organizationOperations,
  ...shelfOperations,
  ...mailTemplateOperations,
  ...eventOperations,
  ...holdOperations,
  ...bookingOperations,
  ...saleOperations,
  ...ticketOperations,
  ...campaignOperations,
  ...trackingOperations,
  ...paymentOperations,
  ...mailOperations,
  ...webhookOperations,
  ...pushOperations,
  ...opsOperations,
  ...laneOperations,
  ...docsOperations,
};
