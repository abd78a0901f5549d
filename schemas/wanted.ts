/** How long an item interest of the kind `wanted` stands (ms) without a word of the item: who keeps rows of it by themselves forgets them by then. */
export const WANTED_MS = 60 * 86_400_000;
