from letter_box.main import run

if __name__ == "__main__":
    run("test")
