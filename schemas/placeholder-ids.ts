const PLACEHOLDERS = new Set(['undefined', 'null', 'nan', 'none', 'nil', '[object object]', 'true', 'false']);

/** Whether an id is what a program writes when it has none, or blank: a broken storefront's "undefined" would make one person of all strangers. */
export function isPlaceholder(id: string): boolean {
  const text = id.trim();
  return text === '' || PLACEHOLDERS.has(text.toLowerCase());
}
