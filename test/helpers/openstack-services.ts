/** For the tests that run apart. */
export { prepareApart as default } from './services.ts';
