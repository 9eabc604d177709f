-- Messages of many sessions are read in the order of their times from this index alone, and removed by it when they are old.
ALTER TABLE messages
  DROP KEY messages_age,
  ADD KEY messages_age (sent_at, row_id, session_id);
