-- Where events are told. `kind` webhook: a user's subscription; chatbot: what answers for a number, at the installation's
-- own endpoint where `url` is NULL. Secrets and headers are sealed. `failures` in a row, `failing_since` the first of them;
-- until `paused_until` nothing is tried.
CREATE TABLE webhooks (
  webhook_id           CHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
  user_id              CHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  kind                 VARCHAR(10) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  url                  VARCHAR(2048) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
  description          VARCHAR(255) NULL,
  event_types          JSON NOT NULL,
  device_ids           JSON NULL,
  headers              BLOB NULL,
  is_ordered           TINYINT NOT NULL DEFAULT 0,
  secret               VARBINARY(255) NOT NULL,
  old_secret           VARBINARY(255) NULL,
  old_secret_until     DATETIME(3) NULL,
  whatsapp_number      VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NULL,
  disabled_at          DATETIME(3) NULL,
  disabled_reason      VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NULL,
  failures             INT UNSIGNED NOT NULL DEFAULT 0,
  failing_since        DATETIME(3) NULL,
  paused_until         DATETIME(3) NULL,
  created_at           DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  creation_key         CHAR(43) CHARACTER SET ascii COLLATE ascii_bin NULL UNIQUE,
  creation_fingerprint BINARY(32) NULL,
  KEY webhooks_kind (kind, disabled_at),
  KEY webhooks_user (user_id, created_at),
  UNIQUE KEY webhooks_number (user_id, whatsapp_number),
  CONSTRAINT webhooks_user FOREIGN KEY (user_id) REFERENCES users (user_id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- One event for one webhook, written with the event. Pending until it is delivered or dead. `due_at`: when it is to be
-- tried; of one that is being tried (`claim`), when that is given up. `expires_at`: when a pending one is given up; when
-- an ended one is forgotten. No foreign key to webhooks: whoever writes an event would wait for whoever delivers.
CREATE TABLE deliveries (
  delivery_id   BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  webhook_id    CHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  event_id      CHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  device_id     VARCHAR(50) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  sequence      BIGINT UNSIGNED NOT NULL,
  type          VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  state         VARCHAR(10) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT 'pending',
  tries         INT UNSIGNED NOT NULL DEFAULT 0,
  due_at        DATETIME(3) NOT NULL,
  expires_at    DATETIME(3) NOT NULL,
  claim         CHAR(24) CHARACTER SET ascii COLLATE ascii_bin NULL,
  created_at    DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  tried_at      DATETIME(3) NULL,
  tried_ms      INT UNSIGNED NULL,
  answer_status SMALLINT UNSIGNED NULL,
  answer        VARCHAR(1024) NULL,
  error         VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NULL,
  UNIQUE KEY deliveries_event (event_id, webhook_id),
  KEY deliveries_due (webhook_id, state, due_at),
  KEY deliveries_order (webhook_id, state, device_id, sequence),
  KEY deliveries_claim (webhook_id, claim),
  KEY deliveries_log (webhook_id, delivery_id),
  KEY deliveries_expiry (state, expires_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- Whose messages are answered by the endpoint of the number that they write to. What the session says of the device and
-- the number is kept here.
CREATE TABLE chatbots (
  chatbot_id           BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  user_id              CHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  session_id           BIGINT UNSIGNED NOT NULL,
  device_id            VARCHAR(50) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  whatsapp_number      VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  sender_number        VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  status               VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  creation_key         CHAR(43) CHARACTER SET ascii COLLATE ascii_bin NULL UNIQUE,
  creation_fingerprint BINARY(32) NULL,
  created_at           DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  updated_at           DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  UNIQUE KEY chatbots_sender (session_id, sender_number),
  KEY chatbots_device (device_id, sender_number),
  KEY chatbots_number (whatsapp_number, chatbot_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
