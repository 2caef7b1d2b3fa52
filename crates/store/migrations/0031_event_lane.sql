-- The deliveries about one thing, in two parts: those that wait have an index already, so a delivery
-- that is stored goes into one of the two and not into both.
CREATE INDEX event_past ON event (lane, id) WHERE state <> 0;
DROP INDEX event_lane;
