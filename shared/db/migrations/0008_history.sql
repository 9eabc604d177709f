-- A WhatsApp number that was linked through a device, as clients of the data API know it. No foreign keys: what was
-- stored of it can be read by whom it belonged to after the device was removed.
CREATE TABLE whatsapp_sessions (
  session_id      BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  user_id         CHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  device_id       VARCHAR(50) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  whatsapp_number VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  note            VARCHAR(500) NULL,
  created_at      DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  updated_at      DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  UNIQUE KEY whatsapp_sessions_link (user_id, device_id, whatsapp_number),
  KEY whatsapp_sessions_device (device_id),
  KEY whatsapp_sessions_number (whatsapp_number)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- Numbers of a user whose messages are kept, while `status` is `aktif`.
CREATE TABLE allowed_numbers (
  allowed_id           BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  user_id              CHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  whatsapp_number      VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  session_id           BIGINT UNSIGNED NOT NULL,
  status               VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  creation_key         CHAR(43) CHARACTER SET ascii COLLATE ascii_bin NULL UNIQUE,
  creation_fingerprint BINARY(32) NULL,
  created_at           DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  updated_at           DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  UNIQUE KEY allowed_numbers_number (user_id, whatsapp_number),
  KEY allowed_numbers_session (session_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- Messages of allowed numbers. `sender` and `receiver` are digits of a phone number where it is known, else a JID; the
-- receiver in a group is the group. `content` is gone when the message was deleted for everyone.
CREATE TABLE messages (
  row_id      BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  session_id  BIGINT UNSIGNED NOT NULL,
  message_id  VARCHAR(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  chat        VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  sender      VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  receiver    VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  sender_name VARCHAR(100) NULL,
  is_own      TINYINT(1) NOT NULL,
  type        VARCHAR(24) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  content     JSON NULL,
  status      VARCHAR(12) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  sent_at     DATETIME(3) NOT NULL,
  edited_at   DATETIME(3) NULL,
  deleted_at  DATETIME(3) NULL,
  UNIQUE KEY messages_id (session_id, message_id),
  KEY messages_session (session_id, sent_at, row_id, is_own, type),
  KEY messages_sender (sender, sent_at, row_id, session_id),
  KEY messages_receiver (receiver, sent_at, row_id, session_id, sender),
  KEY messages_sent_to (sender, receiver, sent_at, row_id, session_id),
  KEY messages_got_from (receiver, sender, sent_at, row_id, session_id),
  KEY messages_age (sent_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- Which LID is whose phone number, as far as a session has learnt it: messages may be stored under either.
CREATE TABLE session_lids (
  session_id BIGINT UNSIGNED NOT NULL,
  lid        VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  phone      VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  PRIMARY KEY (lid, session_id),
  KEY session_lids_phone (phone, session_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- Groups of allowed numbers; the invite code where the account has learnt it.
CREATE TABLE session_groups (
  session_id  BIGINT UNSIGNED NOT NULL,
  group_jid   VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  subject     VARCHAR(255) NULL,
  invite_code VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL,
  updated_at  DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  PRIMARY KEY (session_id, group_jid)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
