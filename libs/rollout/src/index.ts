export * from './policy.ts';
export * from './policy-choice.ts';
export * from './policy-manifest.ts';
export * from './quantity.ts';
export * from './rolling-sync.ts';
export * from './selector.ts';
export * from './windows.ts';
