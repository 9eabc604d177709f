-- Bulk work, made of items that are sent one after the other. `reason` is why it is paused. The counts change in the
-- same transaction as the items. No foreign key to devices, as with commands.
CREATE TABLE jobs (
  job_id          CHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
  device_id       VARCHAR(50) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  user_id         CHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  type            VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  state           VARCHAR(12) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT 'queued',
  reason          VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL,
  reason_detail   VARCHAR(255) NULL,
  delay_ms        INT UNSIGNED NULL,
  total           INT UNSIGNED NOT NULL,
  succeeded       INT UNSIGNED NOT NULL DEFAULT 0,
  failed          INT UNSIGNED NOT NULL DEFAULT 0,
  idempotency_key VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
  fingerprint     BINARY(32) NULL,
  created_at      DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  started_at      DATETIME(3) NULL,
  finished_at     DATETIME(3) NULL,
  UNIQUE KEY jobs_idempotency (user_id, idempotency_key),
  KEY jobs_device (device_id, state, job_id),
  KEY jobs_state (state, device_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- One message of a job; `payload` goes when it has an outcome or its job was cancelled.
CREATE TABLE job_items (
  job_id       CHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  item_index   INT UNSIGNED NOT NULL,
  device_id    VARCHAR(50) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  recipient    VARCHAR(100) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  payload      JSON NULL,
  message_id   VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  state        VARCHAR(12) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT 'queued',
  error_code   VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL,
  error_detail VARCHAR(255) NULL,
  finished_at  DATETIME(3) NULL,
  PRIMARY KEY (job_id, item_index),
  KEY job_items_state (job_id, state, item_index),
  KEY job_items_open (device_id, state, job_id, item_index),
  KEY job_items_message (device_id, message_id),
  CONSTRAINT job_items_job FOREIGN KEY (job_id) REFERENCES jobs (job_id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
