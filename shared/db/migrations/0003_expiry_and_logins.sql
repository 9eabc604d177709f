-- Until when a command that nobody has begun is worth beginning; null: for ever.
ALTER TABLE commands
  ADD COLUMN expires_at DATETIME(3) NULL,
  ADD KEY commands_expiry (state, expires_at);

-- When the next login of the whole fleet is due: one row.
CREATE TABLE login_budget (
  id      TINYINT UNSIGNED NOT NULL PRIMARY KEY,
  next_at DATETIME(6) NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

INSERT INTO login_budget (id, next_at) VALUES (1, NOW(6));
