-- A disabled user cannot log in, and no token of theirs is valid. `creation_key` is the hash of the client's
-- idempotency key, here and below.
ALTER TABLE users
  ADD COLUMN disabled_at          DATETIME(3) NULL,
  ADD COLUMN creation_key         CHAR(43) CHARACTER SET ascii COLLATE ascii_bin NULL UNIQUE,
  ADD COLUMN creation_fingerprint BINARY(32) NULL;

-- What a token may do: scopes with a space between, `*` for all; and on which devices, NULL for all of its user's.
ALTER TABLE tokens
  ADD COLUMN scopes               VARCHAR(400) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '*',
  ADD COLUMN device_ids           JSON NULL,
  ADD COLUMN last_used_at         DATETIME(3) NULL,
  ADD COLUMN creation_key         CHAR(43) CHARACTER SET ascii COLLATE ascii_bin NULL UNIQUE,
  ADD COLUMN creation_fingerprint BINARY(32) NULL,
  ADD KEY tokens_user_revoked (user_id, revoked_at);

-- Browsers that are logged in. Only a keyed hash of the cookie is kept.
CREATE TABLE logins (
  hash       BINARY(32) NOT NULL PRIMARY KEY,
  user_id    CHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  created_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  used_at    DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  expires_at DATETIME(3) NOT NULL,
  KEY logins_user (user_id, used_at),
  KEY logins_expiry (expires_at),
  CONSTRAINT logins_user FOREIGN KEY (user_id) REFERENCES users (user_id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- Passwords that were tried, by the hash of whom and from where, within a window of time.
CREATE TABLE password_attempts (
  subject   BINARY(32) NOT NULL PRIMARY KEY,
  attempts  INT UNSIGNED NOT NULL,
  ends_at   DATETIME(3) NOT NULL,
  KEY password_attempts_end (ends_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- Requests of a token or a login in its latest window of time.
CREATE TABLE request_counts (
  subject      CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
  window_start BIGINT UNSIGNED NOT NULL,
  requests     INT UNSIGNED NOT NULL,
  KEY request_counts_window (window_start)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- Devices that a user may use besides their own.
CREATE TABLE device_grants (
  user_id    CHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  device_id  VARCHAR(50) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  given_by   CHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  created_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  PRIMARY KEY (user_id, device_id),
  KEY device_grants_device (device_id),
  CONSTRAINT device_grants_user FOREIGN KEY (user_id) REFERENCES users (user_id) ON DELETE CASCADE,
  CONSTRAINT device_grants_device FOREIGN KEY (device_id) REFERENCES devices (device_id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- Who changed what, never content. Rows outlive whom and what they name.
CREATE TABLE audit_log (
  entry_id    BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  occurred_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  user_id     CHAR(40) CHARACTER SET ascii COLLATE ascii_bin NULL,
  token_id    CHAR(40) CHARACTER SET ascii COLLATE ascii_bin NULL,
  action      VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  target      VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
  address     VARCHAR(45) CHARACTER SET ascii COLLATE ascii_bin NULL,
  request_id  VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL,
  KEY audit_log_time (occurred_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- Events up to this sequence were recorded for an earlier device of this id, perhaps another user's: nobody reads them.
ALTER TABLE devices
  ADD COLUMN forgotten_sequence BIGINT UNSIGNED NOT NULL DEFAULT 0;
