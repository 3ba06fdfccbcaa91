export * from './agent.ts';
export * from './control-plane.ts';
export * from './hub.ts';
export * from './kube.ts';
export * from './ports.ts';
export * from './processes.ts';
export * from './redis.ts';
export { controllerPath, helmPath, kubectlPath } from './tools.ts';
export * from './wait.ts';
