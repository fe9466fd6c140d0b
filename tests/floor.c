/* Linked with the whole of one floor and the floors below: a call that goes up does not link. */
int main(void) {
    return 0;
}
