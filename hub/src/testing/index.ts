export { TEST_CONNECTIONS, type TestDatabase, startTestDatabase } from './database.ts';
