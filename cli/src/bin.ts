#!/usr/bin/env node
import { enableCompileCache } from 'node:module';

// Compiled code is kept, so that the next start is quick.
enableCompileCache();
const { runProcess } = await import('./main.ts');
await runProcess();
