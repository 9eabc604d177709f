-- The idempotency key under which a device was created, and the hash of that request.
ALTER TABLE devices
  ADD COLUMN creation_key         VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
  ADD COLUMN creation_fingerprint BINARY(32) NULL,
  ADD UNIQUE KEY devices_creation (user_id, creation_key);
