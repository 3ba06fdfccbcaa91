export { TEST_CONNECTIONS, type TestDatabase, startTestDatabase } from './database.ts';
export { PATIENCE, eventually } from './eventually.ts';
