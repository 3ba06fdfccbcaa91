export * from './access.ts';
export * from './audit.ts';
export * from './errors.ts';
export * from './events.ts';
export * from './paging.ts';
