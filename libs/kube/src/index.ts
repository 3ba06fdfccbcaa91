export * from './annotations.ts';
export * from './manifest.ts';
export * from './object.ts';
export * from './sync/hooks.ts';
export * from './sync/order.ts';
export * from './sync/prune.ts';
