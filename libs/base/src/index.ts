export * from './errors.ts';
export * from './json.ts';
export * from './outcome.ts';
export * from './yaml.ts';
