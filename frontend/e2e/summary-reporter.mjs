// Prints the number of passed and failed tests as the last line of the log.
export default class SummaryReporter {
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
