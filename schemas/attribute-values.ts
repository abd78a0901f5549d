const isScalar = (value: unknown): value is string | number | boolean => typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';

/** Texts of a list, each once; numbers and booleans become text, and what is empty is left out. Undefined where it holds anything else. */
export function textsOf(list: readonly unknown[]): readonly string[] | undefined {
  const told = list.filter((value) => value !== null && value !== '');
  return told.every(isScalar) ? [...new Set(told.map(String))] : undefined;
}

/** The texts of a JSON list that a text is; undefined where it is none. */
export function listIn(text: string): readonly string[] | undefined {
  if (!/^\s*\[/.test(text)) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? textsOf(value) : undefined;
  } catch {
    return undefined;
  }
}

/** Values of an attribute as the catalogue keeps it: several stand as a JSON list of texts, one as it is. */
export const valuesOf = (attribute: string): readonly string[] => listIn(attribute) ?? [attribute];
