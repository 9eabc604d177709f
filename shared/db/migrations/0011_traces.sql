-- W3C trace context of the request that asked for it, for whoever follows one message through all processes.
ALTER TABLE commands ADD COLUMN traceparent CHAR(55) CHARACTER SET ascii COLLATE ascii_bin NULL;
ALTER TABLE events ADD COLUMN traceparent CHAR(55) CHARACTER SET ascii COLLATE ascii_bin NULL;
