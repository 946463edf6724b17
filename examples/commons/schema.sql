-- What Commons keeps. Times are seconds since 1970. An item has versions; only its newest published one is shown.

create table if not exists account (
    id integer primary key autoincrement,
    name text not null unique collate nocase,
    password text not null,
    made_at real not null,
    closed_at real,
    frozen_at real
);

-- A post (post-17), a profile picture (avatar-5-1: the first of account 5) or an account's own page (acc-5).
create table if not exists item (
    content text primary key,
    kind text not null check (kind in ('post', 'avatar', 'account')),
    number integer unique,               -- of a post: its address is /p/NUMBER
    account integer not null references account (id),
    share_of text,                       -- the post whose picture it shows again
    behind integer not null default 0,   -- that post was held when this one would have been published
    last integer not null default 0,     -- the newest version there ever was; a number is given once
    shown integer,                       -- the newest published version
    hidden integer not null default 0,   -- 1 while any spot below is held or removed
    first_seen real not null,
    deleted_at real                      -- by its uploader; its bytes stay while it is held
);
create index if not exists item_of_account on item (account, kind);
create index if not exists item_share_of on item (share_of);

create table if not exists version (
    content text not null references item (content),
    number integer not null,
    text text not null,
    token text unique,                   -- names its files, and is their address
    type text,
    digest text,                         -- SHA-256 of its bytes
    thumb integer not null default 0,
    state text not null check (state in ('asking', 'published', 'kept')),
    round integer not null default 1,    -- asked anew after a release; part of the Idempotency-Key
    tries integer not null default 0,
    standing text,                       -- where Holdfast answers later
    ask_at real,                         -- when somebody asks (again)
    made_at real not null,
    primary key (content, number)
);
create index if not exists version_digest on version (digest);
create index if not exists version_asking on version (ask_at) where state = 'asking';

-- Everything that the public gets is read from here, and from nowhere else.
create view if not exists seen as
    select content, kind, item.number, account, name, share_of, first_seen,
           version.number as version, text, token, type, thumb
    from item
    join version using (content)
    join account on account.id = item.account
    where not hidden and deleted_at is null and version.number = shown;

-- Everything there is, held, deleted or not: for Holdfast. The current version is the one shown, or else the newest.
create view if not exists kept as
    select content, kind, item.number, account, name, first_seen, deleted_at,
           version.number as version, token, thumb, digest,
           version.number = coalesce(shown, (select max(number) from version v where v.content = item.content)) as current
    from item
    join version using (content)
    join account on account.id = item.account;

create table if not exists spot (
    content text not null,
    version text not null,               -- as Holdfast names it
    location text not null,
    state text not null check (state in ('held', 'removed')),
    at real not null,
    primary key (content, version, location)
);

-- Facts of uploads and of accounts: who did what, when, from which address and port.
create table if not exists fact (
    account integer not null,
    content text,
    version integer,
    what text not null,
    digest text,
    at real not null,
    address text not null,
    port integer
);
create index if not exists fact_of_account on fact (account);

create table if not exists frozen (
    account integer not null,
    content text not null,
    facts text not null,
    at real not null,
    primary key (account, content, at)
);

create table if not exists notice (
    id text primary key,
    account integer not null,
    content text not null,
    title text not null,
    text text not null,
    answer_url text,
    answer_code text,
    at real not null
);
create index if not exists notice_of_account on notice (account);

-- The nine calls: what was answered to which webhook-id.
create table if not exists answered (
    id text primary key,
    call text not null,
    digest text not null,
    body text not null,
    at real not null
);

create table if not exists view (
    location text not null,
    second integer not null,
    views integer not null,
    primary key (location, second)
) without rowid;

-- How far each file of views was added up.
create table if not exists folded (file text primary key, upto integer not null);

-- Reports of a Commons that is alone: one list, and whoever works through it answers by themselves.
create table if not exists flag (
    id integer primary key autoincrement,
    code text not null unique,           -- with it whoever reported reads the answer
    address text not null,
    words text not null,
    proof blob,
    at real not null,
    answer text check (answer in ('no violation', 'removed')),
    answered_by text,
    answered_at real
);
