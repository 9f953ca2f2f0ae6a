-- People, organisations and what they offer. Written by the gateway's services.

CREATE TABLE users (
  id            uuid        PRIMARY KEY,
  -- Lower-cased; one account an address.
  email         text        NOT NULL UNIQUE,
  -- argon2id, in PHC form.
  password_hash text        NOT NULL,
  first_name    text,
  last_name     text,
  role          text        NOT NULL CHECK (role IN ('admin', 'customer')),
  created_at    timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE organizations (
  id             uuid        PRIMARY KEY,
  name           text        NOT NULL,
  -- Buyers may book now and pay an invoice: payment provider "none" with a total above 0.
  allow_invoices boolean     NOT NULL,
  currency       text        NOT NULL,
  country        text        NOT NULL,
  created_at     timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE organization_members (
  organization_id uuid NOT NULL REFERENCES organizations (id),
  user_id         uuid NOT NULL REFERENCES users (id),
  role            text NOT NULL CHECK (role IN ('owner', 'organizer', 'staff')),
  PRIMARY KEY (organization_id, user_id)
);
CREATE INDEX organization_members_by_user ON organization_members (user_id);

-- Titles, texts, times. What limits the sale is in here as the organiser wrote it, and becomes the
-- actor's once the event is published (table inventories).
CREATE TABLE events (
  id              uuid        PRIMARY KEY,
  -- Last ten hex digits of the id: the holds and bookings of the event end in them.
  tag             text        NOT NULL UNIQUE,
  organization_id uuid        NOT NULL REFERENCES organizations (id),
  status          text        NOT NULL CHECK (status IN ('draft', 'published', 'cancelled')),
  title           text        NOT NULL,
  description     text        NOT NULL,
  category        text,
  tags            text[]      NOT NULL,
  -- {name, city, country, location: {lat, lng}}
  venue           jsonb,
  city            text,
  starts_at       timestamptz NOT NULL,
  ends_at         timestamptz,
  timezone        text        NOT NULL,
  currency        text        NOT NULL,
  sales_open_at   timestamptz,
  sales_close_at  timestamptz,
  hold_ttl_ms     integer     NOT NULL,
  per_order_max   integer     NOT NULL,
  per_user_max    integer     NOT NULL,
  -- [{key, name, price}], [{key, name, capacity, priceCategory}] in index order.
  price_categories json       NOT NULL,
  areas           json        NOT NULL,
  -- [{id, zone, row, number, category, x, y, accessible}] in index order.
  seats           json        NOT NULL,
  created_at      timestamptz NOT NULL DEFAULT now(),
  updated_at      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX events_listed ON events (starts_at, id) WHERE status = 'published';
CREATE INDEX events_by_organization ON events (organization_id, starts_at, id);
