-- One message to be sent later. Whoever takes a row out of `scheduled` decides what becomes of it; `payload` goes then.
-- `wall_time` in `time_zone` is what was asked for, `due_at` the instant that it means. `is_armed`: somebody will wake
-- the host for it. No foreign key to devices, as with commands.
CREATE TABLE schedules (
  schedule_id     CHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
  device_id       VARCHAR(50) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  user_id         CHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  recipient       VARCHAR(100) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  payload         JSON NULL,
  wall_time       CHAR(19) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  time_zone       VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  due_at          DATETIME(3) NOT NULL,
  state           VARCHAR(12) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT 'scheduled',
  is_armed        TINYINT UNSIGNED NOT NULL DEFAULT 0,
  command_id      CHAR(40) CHARACTER SET ascii COLLATE ascii_bin NULL,
  error_code      VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL,
  idempotency_key VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
  fingerprint     BINARY(32) NULL,
  created_at      DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  ended_at        DATETIME(3) NULL,
  UNIQUE KEY schedules_idempotency (user_id, idempotency_key),
  KEY schedules_device (device_id, state, due_at),
  KEY schedules_due (state, due_at),
  KEY schedules_unarmed (state, is_armed, created_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- When the sweep has last put a command into the queue that nobody had begun.
ALTER TABLE commands
  ADD COLUMN requeued_at DATETIME(3) NULL,
  ADD KEY commands_waiting (state, created_at);
