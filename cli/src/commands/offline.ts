import type { Command } from 'commander';
import type { Host } from '../host.ts';

export function offlineCommands(_root: Command, _host: Host): void {}
