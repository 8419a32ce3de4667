// Way lists the functions that one operation of a cache runs.
//
// Usage:
//
//	way [-v] [FOLDER]
//
// It runs, in the module of FOLDER (default: the working directory), each test whose
// name begins with TestWay_, with coverage of the module. The functions of an operation
// are those that its test runs more often than TestWay_New, which makes a cache and
// closes it. It prints how many they are, and in how many files; with -v, their names.
//
// Function literals belong to the function that contains them. Code outside of the
// module, such as OpenTelemetry's, and functions without a statement do not count.
package main
