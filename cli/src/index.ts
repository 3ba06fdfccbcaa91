export { createProgram, main, type World } from './program.ts';
export { VERSION } from './version.ts';
export { EXIT } from './exit.ts';
export { readEnvironment } from './environment.ts';
export { processTerminal, type Progress, type Terminal } from './terminal.ts';
export { runProcess } from './main.ts';
