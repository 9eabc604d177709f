-- Who may call.
CREATE TABLE users (
  user_id       CHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
  username      VARCHAR(64) NOT NULL UNIQUE,
  password_hash VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  role          VARCHAR(10) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  created_at    DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- Only the SHA-256 of a token is kept; `prefix` is what a person recognises it by.
CREATE TABLE tokens (
  token_id   CHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
  user_id    CHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  name       VARCHAR(100) NOT NULL,
  prefix     CHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  hash       BINARY(32) NOT NULL UNIQUE,
  created_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  expires_at DATETIME(3) NULL,
  revoked_at DATETIME(3) NULL,
  CONSTRAINT tokens_user FOREIGN KEY (user_id) REFERENCES users (user_id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- Hosts that are alive, so that they can share the shards evenly.
CREATE TABLE hosts (
  host_id    CHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
  started_at DATETIME(6) NOT NULL,
  expires_at DATETIME(6) NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- Who owns a shard. The epoch rises with every change of owner and fences whatever a former owner still writes.
CREATE TABLE shard_leases (
  shard      INT UNSIGNED NOT NULL PRIMARY KEY,
  host_id    CHAR(40) CHARACTER SET ascii COLLATE ascii_bin NULL,
  epoch      BIGINT UNSIGNED NOT NULL DEFAULT 0,
  expires_at DATETIME(6) NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- One linked WhatsApp number. `epoch` is that of the host that may write here; `desired` is what the user wants,
-- `status` what the host has seen, `alive_at` when the socket last heard from WhatsApp.
CREATE TABLE devices (
  device_id           VARCHAR(50) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
  user_id             CHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  device_name         VARCHAR(100) NULL,
  shard               INT UNSIGNED NOT NULL,
  epoch               BIGINT UNSIGNED NOT NULL DEFAULT 0,
  desired             VARCHAR(12) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT 'disconnected',
  status              VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT 'created',
  status_reason       VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL,
  phone_number        VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NULL,
  lid                 VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NULL,
  qr_code             VARCHAR(1000) CHARACTER SET ascii COLLATE ascii_bin NULL,
  qr_expires_at       DATETIME(3) NULL,
  connection_attempts INT UNSIGNED NOT NULL DEFAULT 0,
  alive_at            DATETIME(3) NULL,
  last_activity       DATETIME(3) NULL,
  last_sequence       BIGINT UNSIGNED NOT NULL DEFAULT 0,
  created_at          DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  KEY devices_shard (shard, desired),
  KEY devices_user (user_id, created_at),
  CONSTRAINT devices_user FOREIGN KEY (user_id) REFERENCES users (user_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- One instruction for a socket. The row exists before its queue message; `payload` goes when it is finished,
-- `result` stays. No foreign key to devices: what became of a command can be asked after its device was removed.
CREATE TABLE commands (
  command_id      CHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
  device_id       VARCHAR(50) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  user_id         CHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  kind            VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  payload         JSON NULL,
  state           VARCHAR(12) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT 'queued',
  message_id      VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NULL,
  result          JSON NULL,
  error_code      VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL,
  error_detail    VARCHAR(255) NULL,
  idempotency_key VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
  fingerprint     BINARY(32) NULL,
  created_at      DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  started_at      DATETIME(3) NULL,
  finished_at     DATETIME(3) NULL,
  UNIQUE KEY commands_idempotency (user_id, idempotency_key),
  KEY commands_message (device_id, message_id),
  KEY commands_state (device_id, state, created_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- Facts that a host recorded. `dedupe_key` keeps a fact that is offered again after a crash from being told twice.
CREATE TABLE events (
  device_id   VARCHAR(50) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  sequence    BIGINT UNSIGNED NOT NULL,
  event_id    CHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL UNIQUE,
  type        VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  dedupe_key  VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
  occurred_at DATETIME(3) NOT NULL,
  data        JSON NOT NULL,
  PRIMARY KEY (device_id, sequence),
  UNIQUE KEY events_dedupe (device_id, dedupe_key)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
