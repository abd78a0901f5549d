const PLACEHOLDERS = new Set(['undefined', 'null', 'nan', 'none', 'nil', '[object object]', 'true', 'false']);

/** Whether an id is what a program writes when it has none, or blank: a broken storefront's "undefined" would make one person of all strangers. */
export function isPlaceholder(id: string): boolean {
  const text = id.trim();
  return text === '' || PLACEHOLDERS.has(text.toLowerCase());
}

const NOBODY = new Set(['0', '-1', 'guest', 'anonymous', 'unknown', '(not set)', 'n/a']);
const LONGEST_NOBODY = 11;

/** Whether a shopper's id is what shop systems write for a guest, or a template that was not filled in (`{{user.id}}`): all of them would be one person, too. */
export const isNobody = (id: string): boolean => (id.length <= LONGEST_NOBODY && NOBODY.has(id.trim().toLowerCase())) || /^\s*(?:\{\{|\$\{|\[object )/.test(id);
