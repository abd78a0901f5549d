/** By item number: 1 for the given items, 0 for all others; as long as the largest of them and `length` need: beyond its end an array is slow to ask. */
export function marksOf(items: Int32Array, length: number): Uint8Array {
  let most = length;
  for (const item of items) if (item >= most) most = item + 1;
  const marks = new Uint8Array(most);
  for (const item of items) if (item >= 0) marks[item] = 1;
  return marks;
}
