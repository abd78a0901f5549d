import { clicks, retailrocketSessions } from './clicks.js';
import { ga4Ndjson, segmentNdjson } from './events.js';
import { millraceNdjson } from './exported.js';
import type { Format } from './format.js';
import { retailrocketProperties } from './item-properties.js';
import { onlineRetail } from './online-retail.js';

/** File formats that can be replayed, by the name given to `--format`. */
export const formats = {
  'online-retail': onlineRetail,
  'retailrocket-sessions': retailrocketSessions,
  'retailrocket-events': clicks,
  'retailrocket-properties': retailrocketProperties,
  yoochoose: clicks,
  diginetica: clicks,
  'segment-ndjson': segmentNdjson,
  'ga4-ndjson': ga4Ndjson,
  'millrace-ndjson': millraceNdjson,
} as const satisfies Readonly<Record<string, Format>>;

export type FormatName = keyof typeof formats;
