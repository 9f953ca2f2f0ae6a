-- Money on its way in and back. No table knows a card: the provider does, and nobody else.

-- One row per payment that a provider was asked for, written before it is asked: money for an
-- intent that has no row here was never asked for by us.
CREATE TABLE payment_intents (
  -- Ours; its last ten hex digits are the event's tag.
  intent_id    uuid        PRIMARY KEY,
  event_id     uuid        NOT NULL,
  booking_id   uuid        NOT NULL,
  provider     text        NOT NULL,
  -- The provider's own id of the intent; null until it has answered.
  provider_ref text,
  amount_minor bigint      NOT NULL CHECK (amount_minor > 0),
  currency     text        NOT NULL,
  -- As the provider was first told: a repeated question must be the same question.
  description  text        NOT NULL,
  -- What the provider said last. mismatch: it took another amount or currency than was asked for.
  status       text        NOT NULL DEFAULT 'open'
    CHECK (status IN ('open', 'succeeded', 'failed', 'canceled', 'mismatch')),
  -- When the event's actor had taken notice of the status, Unix ms; null: not yet.
  settled_ms   bigint,
  pay_until_ms bigint      NOT NULL,
  -- When the provider was last asked what has become of it; how often; when it is asked next.
  asked_ms     bigint,
  looks        integer     NOT NULL DEFAULT 0,
  next_look_ms bigint      NOT NULL,
  created_at   timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50);
CREATE INDEX payment_intents_open ON payment_intents (next_look_ms) WHERE status = 'open';
CREATE INDEX payment_intents_by_booking ON payment_intents (event_id, booking_id);

-- What providers told us, each message once. Only the fields that are acted upon: never what was
-- sent as a whole, which names people and their cards.
CREATE TABLE payment_inbox (
  provider          text        NOT NULL,
  -- Or `lookup:<intent>:<status>`, where we asked the provider and were not told.
  provider_event_id text        COLLATE "C" NOT NULL,
  intent_id         uuid        NOT NULL,
  provider_ref      text,
  outcome           text        NOT NULL CHECK (outcome IN ('succeeded', 'failed', 'canceled')),
  amount_minor      bigint      NOT NULL,
  currency          text        NOT NULL,
  -- When it happened, as the provider says, Unix ms.
  occurred_ms       bigint      NOT NULL,
  received_at       timestamptz NOT NULL DEFAULT now(),
  -- null: still to be done. What came of it: gateway/payments/ruling.ts.
  processed_at      timestamptz,
  result            text,
  tries             integer     NOT NULL DEFAULT 0,
  next_try_ms       bigint      NOT NULL,
  last_error        text,
  PRIMARY KEY (provider, provider_event_id)
) WITH (fillfactor = 50);
CREATE INDEX payment_inbox_unprocessed ON payment_inbox (next_try_ms) WHERE processed_at IS NULL;
CREATE INDEX payment_inbox_by_intent ON payment_inbox (intent_id);

-- Money that goes back. The projector adds a row for each refund that an actor decides; the inbox
-- adds those for money that no booking wants. The refund runner does the rest.
CREATE TABLE refunds (
  event_id            uuid    NOT NULL,
  refund_id           uuid    NOT NULL,
  booking_id          uuid    NOT NULL,
  intent_id           uuid    NOT NULL,
  provider            text    NOT NULL,
  amount_minor        bigint  NOT NULL CHECK (amount_minor > 0),
  currency            text    NOT NULL,
  -- due: the provider was never asked. sent: it was, and has not said that the money is back.
  -- done: it has. failed: it never will, and a person has to look.
  status              text    NOT NULL DEFAULT 'due'
    CHECK (status IN ('due', 'sent', 'done', 'failed')),
  reason              text    NOT NULL,
  created_ms          bigint  NOT NULL,
  provider_refund_ref text,
  -- When the event's actor had taken notice of done or failed; null: not yet.
  reported_ms         bigint,
  tries               integer NOT NULL DEFAULT 0,
  next_try_ms         bigint  NOT NULL DEFAULT 0,
  last_error          text,
  PRIMARY KEY (event_id, refund_id),
  UNIQUE (intent_id, refund_id)
) WITH (fillfactor = 50);
CREATE INDEX refunds_unfinished ON refunds (next_try_ms) WHERE reported_ms IS NULL;
CREATE INDEX refunds_by_booking ON refunds (event_id, booking_id);

-- The play money of the sandbox provider: what another provider would keep on its own machines.
CREATE TABLE sandbox_intents (
  intent_id      uuid   PRIMARY KEY,
  amount_minor   bigint NOT NULL,
  currency       text   NOT NULL,
  status         text   NOT NULL CHECK (status IN ('open', 'succeeded', 'failed', 'canceled')),
  paid_minor     bigint NOT NULL DEFAULT 0,
  refunded_minor bigint NOT NULL DEFAULT 0,
  -- The last line: nobody gets back more than they paid.
  CHECK (refunded_minor <= paid_minor)
) WITH (fillfactor = 50);

CREATE TABLE sandbox_refunds (
  refund_id    uuid   PRIMARY KEY,
  intent_id    uuid   NOT NULL REFERENCES sandbox_intents (intent_id),
  amount_minor bigint NOT NULL
);
