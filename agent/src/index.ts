export { runAgent } from './agent.ts';
export type { Health } from './serve.ts';
export { type Config, readConfig, settings } from './config.ts';
export { makeLog } from './log.ts';
export { AGENT_VERSION } from './version.ts';
