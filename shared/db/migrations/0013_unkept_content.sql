-- `unkept_at`: since when an event waits for its content to be erased, of a number whose messages are not kept; NULL: its
-- content is kept, or was erased, or it has none.
ALTER TABLE events
  ADD COLUMN unkept_at DATETIME(3) NULL,
  ADD COLUMN erased_at DATETIME(3) NULL,
  ADD KEY events_unkept (unkept_at);
