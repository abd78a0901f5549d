/** Names of the rules by which triggers fire, as topics, metrics, settings and ClickHouse say them. */
export const TRIGGER_RULES = ['cart_abandonment', 'checkout_abandonment', 'browse_abandonment', 'price_drop', 'back_in_stock', 'replenishment_due', 'win_back', 'new_customer_welcome', 'vip', 'high_intent'] as const;

export type TriggerRule = (typeof TRIGGER_RULES)[number];

export const isTriggerRule = (name: string): name is TriggerRule => TRIGGER_RULES.some((rule) => rule === name);
