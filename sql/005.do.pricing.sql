-- What places cost beyond their price, and the rules that came with it. Lists are as the gateway
-- validated them; json, not jsonb: what is never searched needs no index, and NULL of JSON is none.

ALTER TABLE organizations
  -- [{name, kind: 'fixed', minor} | {name, kind: 'percent', basisPoints}]: of each ticket.
  ADD COLUMN fees json NOT NULL DEFAULT '[]',
  -- {name, basisPoints, included}
  ADD COLUMN tax  json NOT NULL DEFAULT 'null';

ALTER TABLE events
  -- {fees, tax} as they were when the event was published; NULL: what the organisation has.
  ADD COLUMN charges           json,
  -- [{code, kind, value, categories, fromMs, untilMs, usesMax, usesPerUserMax}], by category keys.
  ADD COLUMN promo_codes       json        NOT NULL DEFAULT '[]',
  -- {freeDrops, windowMs, firstWaitMs, waitMsMax}
  ADD COLUMN hold_churn        json        NOT NULL DEFAULT 'null',
  ADD COLUMN cancel_until      timestamptz,
  ADD COLUMN payment_window_ms integer     NOT NULL DEFAULT 900000,
  -- Grows with every change of what the engine is told: who has told it looks whether that is still
  -- what it should be.
  ADD COLUMN version           integer     NOT NULL DEFAULT 0,
  -- A cancellation has begun: whatever the engine is told from now on says "cancelled".
  ADD COLUMN cancelling        boolean     NOT NULL DEFAULT false;

-- Who was published before there were charges has none.
UPDATE events SET charges = '{"fees": [], "tax": null}' WHERE status <> 'draft';
