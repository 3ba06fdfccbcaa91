export * from './errors.ts';
export * from './expand.ts';
export { LOCAL_NAME, LOCAL_SERVER } from './generators/clusters.ts';
export { MapList, normalizeName, type Params, StringList, StringMap } from './params.ts';
export * from './ports.ts';
export * from './types.ts';
