// One line that says it all, for whoever reads only the end of a log.
export default class PlainReporter {
  passed = 0;
  failed = 0;

  onTestEnd(test, result) {
    if (result.status === "skipped") return;
    if (result.status === test.expectedStatus) this.passed += 1;
    else this.failed += 1;
  }

  onEnd() {
    console.log(`e2e: ${this.passed} passed, ${this.failed} failed`);
  }
}
