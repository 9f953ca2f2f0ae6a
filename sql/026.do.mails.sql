-- What became of each mail, so that none is sent twice: docs/MAIL.md. No address is in here: who a
-- mail was for is the SHA-256 of the address, which is enough to ask about somebody who is known.

CREATE TABLE mails (
  -- MailOrder.key: of all orders with one key, one mail is sent.
  key             text     PRIMARY KEY,
  kind            text     NOT NULL,
  -- null: the platform's own.
  organization_id uuid,
  recipient       bytea    NOT NULL,
  domain          text     NOT NULL,
  -- Without the <>; made from the key, so that every try has the same one.
  message_id      text     NOT NULL,
  state           text     NOT NULL CHECK (state IN
    ('waiting', 'handing_over', 'sent', 'in_doubt', 'suppressed', 'dead')),
  -- Those that ended with an answer about this mail, or broke off in it.
  tries           smallint NOT NULL,
  -- Of the attempt that may end the handing over: gateway/mail/handover-notes.ts.
  claim           text,
  transport       text,
  -- Why the last try failed, or why there is no further one.
  reason          text,
  -- Unix ms: the first attempt, the last change, and before which there is no further try.
  begun_ms        bigint   NOT NULL,
  changed_ms      bigint   NOT NULL,
  not_before_ms   bigint   NOT NULL,
  -- What came back of it later: hard, soft or complaint.
  bounced         text
);
CREATE INDEX mails_by_message_id ON mails (message_id);
-- What is old is removed by it, and it never changes.
CREATE INDEX mails_begun ON mails (begun_ms);
-- The few that are not decided, or never will be.
CREATE INDEX mails_unsettled ON mails (state, changed_ms)
  WHERE state IN ('handing_over', 'in_doubt');

-- Who does not want which kind of mail, of all organisations (the id of zeros) or of one.
CREATE TABLE mail_refusals (
  recipient       bytea       NOT NULL,
  kind            text        NOT NULL,
  organization_id uuid        NOT NULL,
  refused_at      timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (recipient, kind, organization_id)
);

-- Addresses that mails come back from.
CREATE TABLE suppressed_addresses (
  recipient     bytea  PRIMARY KEY,
  -- The address but for most of what stands before the @.
  shown         text   NOT NULL,
  cause         text   NOT NULL CHECK (cause IN ('hard', 'soft', 'complaint')),
  reason        text   NOT NULL,
  suppressed_ms bigint NOT NULL,
  -- null: until somebody takes it off the list.
  until_ms      bigint
);
CREATE INDEX suppressed_addresses_listed ON suppressed_addresses (suppressed_ms, recipient);

-- Failures that pass, such as a full mailbox. Counted, as several of them are more than that.
CREATE TABLE soft_bounces (
  recipient  bytea  NOT NULL,
  -- Of the report: one that comes twice counts once.
  report_id  text   NOT NULL,
  bounced_ms bigint NOT NULL,
  PRIMARY KEY (recipient, report_id)
);
CREATE INDEX soft_bounces_old ON soft_bounces (bounced_ms);

GRANT SELECT, UPDATE (bounced) ON mails TO evently_gateway;
GRANT SELECT, INSERT, DELETE ON mail_refusals, soft_bounces TO evently_gateway;
GRANT SELECT, INSERT, UPDATE, DELETE ON suppressed_addresses TO evently_gateway;

ALTER TABLE mails ENABLE ROW LEVEL SECURITY;
CREATE POLICY mail ON mails
  USING ((SELECT asking_role()) = 'mail') WITH CHECK ((SELECT asking_role()) = 'mail');
ALTER TABLE mail_refusals ENABLE ROW LEVEL SECURITY;
CREATE POLICY mail ON mail_refusals
  USING ((SELECT asking_role()) = 'mail') WITH CHECK ((SELECT asking_role()) = 'mail');
ALTER TABLE suppressed_addresses ENABLE ROW LEVEL SECURITY;
CREATE POLICY mail ON suppressed_addresses
  USING ((SELECT asking_role()) = 'mail') WITH CHECK ((SELECT asking_role()) = 'mail');
ALTER TABLE soft_bounces ENABLE ROW LEVEL SECURITY;
CREATE POLICY mail ON soft_bounces
  USING ((SELECT asking_role()) = 'mail') WITH CHECK ((SELECT asking_role()) = 'mail');
