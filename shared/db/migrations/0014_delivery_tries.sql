-- Tries of a delivery that failed, with what was answered; the last try of all stands in the delivery as well. `try_number`
-- begins anew when a delivery is asked for again: there are never more than a delivery is tried.
CREATE TABLE delivery_tries (
  delivery_id   BIGINT UNSIGNED NOT NULL,
  try_number    INT UNSIGNED NOT NULL,
  tried_at      DATETIME(3) NOT NULL,
  tried_ms      INT UNSIGNED NOT NULL,
  answer_status SMALLINT UNSIGNED NULL,
  answer        VARCHAR(1024) NULL,
  error         VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NULL,
  PRIMARY KEY (delivery_id, try_number),
  CONSTRAINT delivery_tries_delivery FOREIGN KEY (delivery_id) REFERENCES deliveries (delivery_id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- What is told of no device, and so is in no log of events: `device_id` is empty then.
ALTER TABLE deliveries ADD COLUMN notice JSON NULL;

-- How far the events of a device had counted when it was removed: a later device of this id goes on from there, also when
-- those events have expired.
CREATE TABLE former_devices (
  device_id     VARCHAR(50) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
  last_sequence BIGINT UNSIGNED NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
