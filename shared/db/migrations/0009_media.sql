-- Files that clients upload by themselves. `sha256` is null until the file is sent for the first time: then it lies under
-- its hash. `mimetype` is what the client says until then, what its content is from then on.
CREATE TABLE media (
  media_id    CHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
  user_id     CHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  device_id   VARCHAR(50) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  sha256      CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL,
  mimetype    VARCHAR(100) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  size_bytes  INT UNSIGNED NOT NULL,
  file_name   VARCHAR(255) NULL,
  idempotency_key VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
  fingerprint BINARY(32) NULL,
  created_at  DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  expires_at  DATETIME(3) NOT NULL,
  UNIQUE KEY media_idempotency (user_id, idempotency_key),
  KEY media_expiry (expires_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- Files that came with messages, and how far the host has come with each. What a file is, is in the bucket, with it.
-- `user_id` is whom the device belonged to. No foreign key to devices, as with commands.
CREATE TABLE received_media (
  device_id   VARCHAR(50) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  user_id     CHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  message_id  VARCHAR(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  state       VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT 'pending',
  reason      VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NULL,
  attempts    INT UNSIGNED NOT NULL DEFAULT 0,
  next_at     DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  size_bytes  BIGINT UNSIGNED NULL,
  mimetype    VARCHAR(100) NULL,
  created_at  DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  expires_at  DATETIME(3) NOT NULL,
  PRIMARY KEY (device_id, user_id, message_id),
  KEY received_media_due (device_id, state, next_at),
  KEY received_media_expiry (expires_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
